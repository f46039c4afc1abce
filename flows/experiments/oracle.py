"""Pairs' objectives by the cost model and a table of accuracies, each pair evaluated once and kept on disk."""

from __future__ import annotations

import json
import time
from math import inf
from pathlib import Path

from flows.accelerators import config_from_values, config_values
from flows.evaluation import Cost, Evaluation, Evaluator, Pair, Tier
from flows.pareto import proportional_objectives
from hwgen.errors import InputError
from nas.strategies import Genes, Outcome

CLOCK_MHZ = 100.0
"""No objective depends on it."""


class PairOracle:
    """Answers from ``path`` where a pair was evaluated before, by whatever run, and else from ``evaluator``.

    Raises InputError where a line of ``path`` is damaged.
    """

    def __init__(self, path: Path, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._costs: dict[Pair, tuple[Cost | None, float]] = {}
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                values = json.loads(line)
                pair = Pair(values["architecture"], config_from_values(values["accelerator"]))
                cost = None if values["cycles"] is None else Cost(values["cycles"], values["energy_uj"])
                self._costs[pair] = cost, values["cpu_seconds"]
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f"oracle: line {number} of {path} is damaged ({error!r}); delete the file") from error
        self._file = path.open("ab")
        self._file.truncate(len(whole))

    def __len__(self) -> int:
        return len(self._costs)

    def cpu_seconds(self, pair: Pair) -> float:
        """What the evaluation of a pair cost when it was made."""
        return self._costs[pair][1]

    def evaluation(self, pair: Pair) -> Evaluation:
        """The pair's modelled cost and its accuracy."""
        if pair not in self._costs:
            began = time.process_time()
            cost = self._evaluator.modelled_cost(pair)
            seconds = time.process_time() - began
            self._costs[pair] = cost, seconds
            values = {
                "architecture": pair.architecture,
                "accelerator": config_values(pair.accelerator),
                "cycles": None if cost is None else cost.cycles,
                "energy_uj": None if cost is None else cost.energy_uj,
                "cpu_seconds": round(seconds, 4),
            }
            self._file.write(json.dumps(values).encode() + b"\n")
            self._file.flush()
        accuracy = self._evaluator.accuracy(pair.architecture)
        return Evaluation(pair, Tier.MODELLED, self._costs[pair][0], accuracy.value, accuracy.tier, accuracy.provenance)

    def outcome(self, genes: Genes, pair: Pair | None) -> Outcome:
        """What a strategy is told of ``genes`` that stand for ``pair``."""
        evaluation = None if pair is None else self.evaluation(pair)
        if evaluation is None or evaluation.cycles is None:
            return Outcome(genes, None, inf)
        return Outcome(genes, proportional_objectives(evaluation, CLOCK_MHZ))

    def close(self) -> None:
        """Let another process append."""
        self._file.close()
