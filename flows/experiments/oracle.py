"""Pairs' objectives by the cost model and a table of accuracies, each pair evaluated once and kept on disk."""

from __future__ import annotations

import time
from math import inf
from pathlib import Path
from typing import Any

from flows.accelerators import config_from_values, config_values
from flows.evaluation import Cost, Evaluation, Evaluator, Pair, Tier
from flows.line_log import LineFormat, LineLog
from flows.pareto import proportional_objectives
from nas.strategies import Genes, Outcome

CLOCK_MHZ = 100.0
"""No objective depends on it."""


Known = tuple[Pair, Cost | None, float]
"""A pair, its modelled cost, None where it cannot run, and the CPU seconds that it took to find."""


def _known(values: dict[str, Any]) -> Known:
    cost = None if values["cycles"] is None else Cost(values["cycles"], values["energy_uj"])
    return Pair(values["architecture"], config_from_values(values["accelerator"])), cost, values["cpu_seconds"]


ORACLE_LINES = LineFormat(
    read=_known,
    damaged="oracle: {line}; delete the file",
    busy="output: another experiment is writing {path}",
)


class PairOracle:
    """Answers from ``path`` where a pair was evaluated before, by whatever run, and else from ``evaluator``.

    Raises InputError where another process appends to ``path``, or a line of it is damaged.
    """

    def __init__(self, path: Path, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._log = LineLog(path, ORACLE_LINES)
        self._costs = {pair: (cost, seconds) for pair, cost, seconds in self._log.found}

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
            self._log.append(
                {
                    "architecture": pair.architecture,
                    "accelerator": config_values(pair.accelerator),
                    "cycles": None if cost is None else cost.cycles,
                    "energy_uj": None if cost is None else cost.energy_uj,
                    "cpu_seconds": round(seconds, 4),
                }
            )
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
        self._log.close()
