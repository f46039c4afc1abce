"""The joint search over pairs: a strategy on modelled cycles, steered by cycles measured in RTL simulation.

Every pair's hardware is modelled; the accuracy is asked only of pairs whose hardware meets the constraints. The pairs
that enter the front are measured, round by round, and what was measured corrects the model. The search is a
deterministic function of its settings and of the evaluations, so an interrupted one resumes by running again from the
start with the finished evaluations at hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import ceil, inf

from flows.accelerators import distance
from flows.constraints import Constraint
from flows.evaluation import Evaluation, Evaluator, Pair, Tier, correction
from flows.evaluation_log import EvaluationLog
from flows.pair_space import PairSpace
from flows.pareto import pareto_front, proportional_objectives, satisfies
from hwgen.config import AcceleratorConfig
from nas.accuracy import Accuracy, AccuracyTier
from nas.strategies import Genes, Outcome, Proposal, StrategyName, strategy


@dataclass(frozen=True)
class SearchSettings:
    """The size of a search and what it asks for."""

    strategy: StrategyName
    budget: int
    """Proposals of the strategy: pairs, repetitions and genes that are no pair."""
    population: int
    """Proposals of a round, after which the front is measured."""
    accelerator_builds: int
    """How many different accelerators may be built and simulated."""
    constraints: tuple[Constraint, ...]
    clock_mhz: float
    seed: int

    @property
    def rounds(self) -> int:
        return ceil(self.budget / self.population)


@dataclass(frozen=True)
class Progress:
    """How far a search has come."""

    round: int
    modelled: int
    accuracies: int
    """Networks whose accuracy was asked for."""
    measured: int
    accelerators: int


class PairSearch:
    """One search over ``space``; finished evaluations come from and go to ``log``."""

    def __init__(
        self,
        space: PairSpace,
        evaluator: Evaluator,
        settings: SearchSettings,
        log: EvaluationLog,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._space = space
        self._evaluator = evaluator
        self._settings = settings
        self._log = log
        self._on_progress = on_progress
        self._pairs: dict[Genes, Pair | None] = {}
        self._proposals: dict[Proposal, None] = {}
        self._modelled: dict[Pair, Evaluation] = {}
        self._measured: dict[Pair, Evaluation] = {}
        self._correct = correction({}, {})
        self._accuracies = {
            found.pair.architecture: Accuracy(found.accuracy, found.accuracy_tier, found.accuracy_provenance)
            for found in log
            if found.accuracy_tier is not AccuracyTier.NOT_ASKED
        }
        self._round = 0

    def run(self) -> list[Evaluation]:
        """The Pareto front, every member of it measured; pairs that miss a constraint or cannot run are not in it."""
        settings = self._settings
        searcher = strategy(settings.strategy, self._space.problem(settings.budget, settings.population), settings.seed)
        asked = 0
        for self._round in range(1, settings.rounds + 1):
            end = min(settings.budget, self._round * settings.population)
            while asked < end:
                proposals = searcher.ask(min(searcher.batch, end - asked))
                asked += len(proposals)
                self._proposals.update(dict.fromkeys(proposals))
                for proposal in proposals:
                    self._pairs[proposal.genes] = self._space.pair(proposal.genes)
                    self._model(self._pairs[proposal.genes])
                searcher.tell(map(self._outcome, proposals))
            if self._measure_front(settings.accelerator_builds * self._round // settings.rounds):
                searcher.tell(map(self._outcome, self._proposals))
        self._rehouse_front()
        while self._measure_front(settings.accelerator_builds):
            pass
        return pareto_front(self._feasible(self._measured.values()), settings.clock_mhz)

    def _built(self) -> dict[AcceleratorConfig, None]:
        """The accelerators simulated so far, in order."""
        return dict.fromkeys(pair.accelerator for pair in self._measured)

    def _model(self, pair: Pair | None) -> None:
        """Know the pair's modelled cost, and its accuracy unless that turns it away."""
        if pair is None or pair in self._modelled:
            return
        found = self._log.find(pair, Tier.MODELLED)
        if found is None:
            cost = self._evaluator.modelled_cost(pair)
            found = Evaluation(pair, Tier.MODELLED, cost, 0.0, AccuracyTier.NOT_ASKED, "its hardware was turned away")
            if self._hardware_violation(found) <= 0:
                found = self._with_accuracy(found)
            self._log.append(found)
        self._modelled[pair] = found
        self._report()

    def _with_accuracy(self, evaluation: Evaluation) -> Evaluation:
        architecture = evaluation.pair.architecture
        if architecture not in self._accuracies:
            self._accuracies[architecture] = self._evaluator.accuracy(architecture)
        accuracy = self._accuracies[architecture]
        return replace(
            evaluation,
            accuracy=accuracy.value,
            accuracy_tier=accuracy.tier,
            accuracy_provenance=accuracy.provenance,
        )

    def _measure(self, pair: Pair) -> None:
        found = self._log.find(pair, Tier.MEASURED)
        if found is None:
            cost = self._evaluator.measured_cost(pair)
            found = replace(self._modelled[pair], tier=Tier.MEASURED, cost=cost)
            self._log.append(found)
        self._measured[pair] = found
        self._report()

    def _rehouse_front(self) -> None:
        """Model the front's networks whose accelerators were never built on the nearest one that was."""
        built = self._built()
        for evaluation in pareto_front(self._feasible(map(self._known, self._modelled)), self._settings.clock_mhz):
            wanted = evaluation.pair.accelerator
            if built and wanted not in built:
                self._model(Pair(evaluation.pair.architecture, min(built, key=lambda other: distance(other, wanted))))

    def _readmit(self) -> None:
        """Ask for the accuracy of pairs that the model turned away and the corrected model does not."""
        for pair, turned_away in self._modelled.items():
            if (
                turned_away.accuracy_tier is AccuracyTier.NOT_ASKED
                and self._hardware_violation(self._correct(turned_away)) <= 0
            ):
                self._modelled[pair] = self._with_accuracy(turned_away)
                self._log.append(self._modelled[pair])

    def _known(self, pair: Pair) -> Evaluation:
        """The best that is known of a pair: its measurement, or its modelled cycles corrected by measurements."""
        return self._measured.get(pair) or self._correct(self._modelled[pair])

    def _hardware_violation(self, evaluation: Evaluation) -> float:
        """By how much constraints are missed whatever the accuracy is; infinite where the pair cannot run."""
        return self._violation(evaluation, [c for c in self._settings.constraints if c.metric != "accuracy"])

    def _violation(self, evaluation: Evaluation, constraints: Iterable[Constraint]) -> float:
        if evaluation.cycles is None:
            return inf
        metrics = evaluation.metrics(self._settings.clock_mhz)
        return sum(max(0.0, constraint.violation(metrics)) for constraint in constraints)

    def _outcome(self, proposal: Proposal) -> Outcome:
        """What is known now of ``proposal``, whose pair was modelled."""
        pair = self._pairs[proposal.genes]
        if pair is None:
            return Outcome(proposal.genes, None, inf, proposal.fidelity)
        evaluation = self._known(pair)
        missed = self._hardware_violation(evaluation)
        if missed > 0:
            return Outcome(proposal.genes, None, missed, proposal.fidelity)
        objectives = proportional_objectives(evaluation, self._settings.clock_mhz)
        missed = self._violation(evaluation, self._settings.constraints)
        return Outcome(proposal.genes, objectives, missed, proposal.fidelity)

    def _feasible(self, evaluations: Iterable[Evaluation]) -> list[Evaluation]:
        constraints, clock = self._settings.constraints, self._settings.clock_mhz
        return [evaluation for evaluation in evaluations if satisfies(evaluation, constraints, clock)]

    def _measure_front(self, builds: int) -> bool:
        """Measure the front's pairs that are not yet, on at most ``builds`` accelerators in all; whether any was."""
        built = self._built()
        candidates = self._feasible(map(self._known, self._modelled))
        if len(built) >= builds:
            candidates = [evaluation for evaluation in candidates if evaluation.pair.accelerator in built]
        front = pareto_front(candidates, self._settings.clock_mhz)
        waiting = [evaluation.pair for evaluation in front if evaluation.pair not in self._measured]
        wanted = Counter(pair.accelerator for pair in waiting if pair.accelerator not in built)
        allowed = {*built, *(accelerator for accelerator, _ in wanted.most_common(max(0, builds - len(built))))}
        chosen = [pair for pair in waiting if pair.accelerator in allowed]
        for pair in chosen:
            self._measure(pair)
        self._correct = correction(self._modelled, self._measured)
        self._readmit()
        return bool(chosen)

    def _report(self) -> None:
        self._on_progress(
            Progress(
                round=self._round,
                modelled=len(self._modelled),
                accuracies=len(self._accuracies),
                measured=len(self._measured),
                accelerators=len(self._built()),
            )
        )
