"""Pairs' objectives by the cost model and a table of accuracies, each pair evaluated once and kept on disk."""

from __future__ import annotations

from pathlib import Path

from flows.experiments.cost_log import CostLog
from flows.pairs.evaluation import Evaluation, Evaluator, Pair, Tier
from flows.pairs.objectives import Objectives
from nas.strategies import Genes, Outcome

OBJECTIVES = Objectives(clock_mhz=100.0)
"""None of them depends on the clock."""


class PairOracle:
    """Answers from ``path`` where a pair was evaluated before, by whatever run, and else from ``evaluator``.

    Raises InputError where another process appends to ``path``, or a line of it is damaged.
    """

    def __init__(self, path: Path, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._costs = CostLog(path, evaluator.modelled_cost)

    def __len__(self) -> int:
        return len(self._costs)

    @property
    def cpu_seconds_per_pair(self) -> float:
        """The mean of what all evaluations took: what one takes depends on what was modelled before."""
        return self._costs.cpu_seconds / len(self)

    def evaluation(self, pair: Pair) -> Evaluation:
        """The pair's modelled cost and its accuracy."""
        cost, accuracy = self._costs.cost(pair), self._evaluator.accuracy(pair.architecture)
        return Evaluation(pair, Tier.MODELLED, cost, accuracy.value, accuracy.tier, accuracy.provenance)

    def outcome(self, genes: Genes, pair: Pair | None) -> Outcome:
        """What a strategy is told of ``genes`` that stand for ``pair``."""
        evaluation = None if pair is None else self.evaluation(pair)
        if evaluation is None or evaluation.cycles is None:
            return Outcome(genes, None)
        return Outcome(genes, OBJECTIVES.proportional(evaluation))

    def close(self) -> None:
        """Let another process append."""
        self._costs.close()
