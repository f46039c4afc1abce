"""Evaluates pairs rung by rung and keeps every evaluation: what the log has is not evaluated again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from flows.pairs.evaluation import Evaluation, Evaluator, Pair, Tier
from flows.pairs.evaluation_log import EvaluationLog
from flows.stopwatch import Stopwatch
from nas.accuracy import Accuracy, AccuracyTier
from nas.oracles import AccuracyOracle


class RecordedEvaluator:
    """Rungs are numbered: those of ``screens``, of different accuracy tiers; ``modelled``; ``measured``.

    Each network's accuracy is asked for once on each.
    """

    def __init__(self, evaluator: Evaluator, log: EvaluationLog, screens: Sequence[AccuracyOracle]) -> None:
        self._evaluator = evaluator
        self._log = log
        self._screens = [screen.tier for screen in screens]
        self._ask = [*(screen.accuracy for screen in screens), evaluator.accuracy]
        self.modelled = len(screens)
        self.measured = len(screens) + 1
        self._found: dict[tuple[Pair, int], Evaluation] = {}
        self._accuracies: dict[tuple[str, int], Accuracy] = {}
        for found in log:
            self._learn(found)

    def _learn(self, found: Evaluation) -> None:
        accuracy = Accuracy(found.accuracy, found.accuracy_tier, found.accuracy_provenance)
        for rung in self._rungs(found):
            if accuracy.tier is AccuracyTier.NOT_ASKED:
                self._found.setdefault((found.pair, rung), found)
            else:
                self._found[found.pair, rung] = found
                self._accuracies[found.pair.architecture, rung] = accuracy

    def _rungs(self, found: Evaluation) -> list[int]:
        """Where ``found`` stands; what a screen turns away every screen does."""
        match found.tier:
            case Tier.SCREENED:
                turned_away = found.accuracy_tier is AccuracyTier.NOT_ASKED
                return [rung for rung, tier in enumerate(self._screens) if turned_away or tier is found.accuracy_tier]
            case Tier.MODELLED:
                return [self.modelled]
            case Tier.MEASURED:
                return [self.measured]

    @property
    def accuracies(self) -> int:
        """Networks whose accuracy is known, screened ones not counted."""
        return len({architecture for architecture, rung in self._accuracies if rung >= self.modelled})

    def evaluate(self, pair: Pair, rung: int, admits: Callable[[Evaluation], bool]) -> Evaluation:
        """The pair on a modelled ``rung``; its accuracy is not asked for where ``admits`` turns its cost away."""
        if (pair, rung) in self._found:
            return self._found[pair, rung]
        watch = Stopwatch()
        tier = Tier.MODELLED if rung == self.modelled else Tier.SCREENED
        cost, macs = self._evaluator.modelled_cost(pair), self._evaluator.macs(pair.architecture)
        found = Evaluation(pair, tier, cost, 0.0, AccuracyTier.NOT_ASKED, "its hardware was turned away", macs)
        return self._kept(self._with_accuracy(found, rung) if admits(found) else found, rung, watch)

    def readmit(self, turned_away: Evaluation, rung: int) -> Evaluation:
        """``turned_away`` with its accuracy after all."""
        watch = Stopwatch()
        return self._kept(self._with_accuracy(turned_away, rung), rung, watch)

    def measure(self, modelled: Evaluation) -> Evaluation:
        """The pair of ``modelled``, measured in RTL."""
        if (modelled.pair, self.measured) in self._found:
            return self._found[modelled.pair, self.measured]
        watch = Stopwatch()
        cost = self._evaluator.measured_cost(modelled.pair)
        return self._kept(replace(modelled, tier=Tier.MEASURED, cost=cost), self.measured, watch)

    def _with_accuracy(self, evaluation: Evaluation, rung: int) -> Evaluation:
        key = evaluation.pair.architecture, rung
        if key not in self._accuracies:
            self._accuracies[key] = self._ask[rung](evaluation.pair.architecture)
        accuracy = self._accuracies[key]
        return replace(
            evaluation,
            accuracy=accuracy.value,
            accuracy_tier=accuracy.tier,
            accuracy_provenance=accuracy.provenance,
        )

    def _kept(self, evaluation: Evaluation, rung: int, watch: Stopwatch) -> Evaluation:
        timed = replace(evaluation, spent=watch.read())
        self._log.append(timed)
        self._found[evaluation.pair, rung] = timed
        return timed
