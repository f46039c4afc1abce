"""Evaluates pairs tier by tier and keeps every evaluation: what the log has is not evaluated again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flows.evaluation import Evaluation, Evaluator, Pair, Tier
from flows.evaluation_log import EvaluationLog
from flows.stopwatch import Stopwatch
from nas.accuracy import Accuracy, AccuracyTier
from nas.oracles import AccuracyOracle


class RecordedEvaluator:
    """Each network's accuracy is asked for once by tier; ``screen`` is the one of Tier.SCREENED."""

    def __init__(self, evaluator: Evaluator, log: EvaluationLog, screen: AccuracyOracle | None) -> None:
        self._evaluator = evaluator
        self._log = log
        self._ask = {Tier.MODELLED: evaluator.accuracy}
        if screen is not None:
            self._ask = {Tier.SCREENED: screen.accuracy, **self._ask}
        self._accuracies = {
            (found.tier, found.pair.architecture): Accuracy(
                found.accuracy, found.accuracy_tier, found.accuracy_provenance
            )
            for found in log
            if found.accuracy_tier is not AccuracyTier.NOT_ASKED
        }

    @property
    def modelled_tiers(self) -> tuple[Tier, ...]:
        """The tiers that are modelled, the cheapest first."""
        return tuple(self._ask)

    @property
    def accuracies(self) -> int:
        """Networks whose accuracy is known, screened ones not counted."""
        return sum(tier is Tier.MODELLED for tier, _ in self._accuracies)

    def modelled(self, pair: Pair, tier: Tier, admits: Callable[[Evaluation], bool]) -> Evaluation:
        """The pair at ``tier``; its accuracy is not asked for where ``admits`` turns its cost away."""
        found = self._log.find(pair, tier)
        if found is not None:
            return found
        watch = Stopwatch()
        cost = self._evaluator.modelled_cost(pair)
        found = Evaluation(pair, tier, cost, 0.0, AccuracyTier.NOT_ASKED, "its hardware was turned away")
        return self._kept(self._with_accuracy(found) if admits(found) else found, watch)

    def readmitted(self, turned_away: Evaluation) -> Evaluation:
        """``turned_away`` with its accuracy after all."""
        watch = Stopwatch()
        return self._kept(self._with_accuracy(turned_away), watch)

    def measured(self, modelled: Evaluation) -> Evaluation:
        """The pair of ``modelled``, measured in RTL."""
        found = self._log.find(modelled.pair, Tier.MEASURED)
        if found is not None:
            return found
        watch = Stopwatch()
        cost = self._evaluator.measured_cost(modelled.pair)
        return self._kept(replace(modelled, tier=Tier.MEASURED, cost=cost), watch)

    def _with_accuracy(self, evaluation: Evaluation) -> Evaluation:
        key = evaluation.tier, evaluation.pair.architecture
        if key not in self._accuracies:
            self._accuracies[key] = self._ask[evaluation.tier](evaluation.pair.architecture)
        accuracy = self._accuracies[key]
        return replace(
            evaluation,
            accuracy=accuracy.value,
            accuracy_tier=accuracy.tier,
            accuracy_provenance=accuracy.provenance,
        )

    def _kept(self, evaluation: Evaluation, watch: Stopwatch) -> Evaluation:
        timed = replace(evaluation, spent=watch.read())
        self._log.append(timed)
        return timed
