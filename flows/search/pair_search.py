"""The joint search over pairs: a strategy on modelled cycles, steered by cycles measured in RTL simulation.

Every pair's hardware is modelled; the accuracy is asked only of pairs whose hardware meets the constraints. The pairs
that enter the front are measured, round by round, and their accelerators implemented where that was asked for; what
was found takes the place of what was modelled, and corrects the models of all others. The search is a deterministic
function of its settings, of the evaluations and of the implementations, so an interrupted one resumes by running again
from the start with those at hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, inf, nan

from flows.pairs.accelerator_space import distance
from flows.pairs.constraints import Constraint
from flows.pairs.evaluation import Evaluation, Evaluator, Pair, correction
from flows.pairs.evaluation_log import EvaluationLog
from flows.pairs.objectives import Objectives
from flows.pairs.pareto import pareto_front, satisfies
from flows.pairs.recorded_evaluator import RecordedEvaluator
from flows.pairs.space import PairSpace
from flows.search.chip_correction import Implement, OnChips, as_modelled
from hwgen.config import AcceleratorConfig
from nas.accuracy import AccuracyTier
from nas.oracles import AccuracyOracle
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
    objectives: Objectives
    seed: int

    @property
    def rounds(self) -> int:
        return ceil(self.budget / self.population)


@dataclass(frozen=True)
class Progress:
    """How far a search has come."""

    round: int
    screened: int
    modelled: int
    accuracies: int
    """Networks whose accuracy was asked for."""
    measured: int
    accelerators: int


class PairSearch:
    """One search over ``space``; finished evaluations come from and go to ``log``.

    Each of ``screens``, cheaper oracles of rising tiers, is a fidelity to the strategy, below that of the evaluator's.
    ``implement`` is called with the accelerators of the measured front whenever that may have changed.
    """

    def __init__(
        self,
        space: PairSpace,
        evaluator: Evaluator,
        settings: SearchSettings,
        log: EvaluationLog,
        on_progress: Callable[[Progress], None],
        screens: Sequence[AccuracyOracle] = (),
        implement: Implement = lambda accelerators: as_modelled,
    ) -> None:
        self._space = space
        self._evaluator = RecordedEvaluator(evaluator, log, screens)
        self._settings = settings
        self._on_progress = on_progress
        self._pairs: dict[Genes, Pair | None] = {}
        self._proposals: dict[Proposal, None] = {}
        self._rungs: list[dict[Pair, Evaluation]] = [{} for _ in range(len(screens) + 1)]
        """By fidelity."""
        self._modelled = self._rungs[-1]
        self._measured: dict[Pair, Evaluation] = {}
        self._correct = correction({}, {})
        self._implement = implement
        self._on_chips: OnChips = as_modelled
        self._round = 0

    def run(self) -> list[Evaluation]:
        """The Pareto front, every member of it measured, and implemented where that was asked for.

        Pairs that miss a constraint or cannot run are not in it.
        """
        settings = self._settings
        problem = self._space.problem(
            settings.budget, settings.population, len(self._rungs), objectives=len(settings.objectives.names)
        )
        searcher = strategy(settings.strategy, problem, settings.seed)
        asked = 0
        for self._round in range(1, settings.rounds + 1):
            end = min(settings.budget, self._round * settings.population)
            while asked < end:
                proposals = searcher.ask(min(searcher.batch, end - asked))
                asked += len(proposals)
                self._proposals.update(dict.fromkeys(proposals))
                for proposal in proposals:
                    self._pairs[proposal.genes] = self._space.pair(proposal.genes)
                    self._model(self._pairs[proposal.genes], proposal.fidelity)
                searcher.tell(map(self._outcome, proposals))
            if self._measure_and_implement(settings.accelerator_builds * self._round // settings.rounds):
                searcher.tell(map(self._outcome, self._proposals))
        self._rehouse_front()
        while self._measure_and_implement(settings.accelerator_builds):
            pass
        return self._measured_front()

    def _built(self) -> dict[AcceleratorConfig, None]:
        """The accelerators simulated so far, in order."""
        return dict.fromkeys(pair.accelerator for pair in self._measured)

    def _model(self, pair: Pair | None, rung: int) -> None:
        """Know the pair on a ``rung``; its accuracy unless its cost, corrected or not, turns it away."""
        if pair is None or pair in self._rungs[rung]:
            return

        def admits(evaluation: Evaluation) -> bool:
            return any(self._hardware_violation(cost) <= 0 for cost in (evaluation, self._corrected(evaluation)))

        self._rungs[rung][pair] = self._evaluator.evaluate(pair, rung, admits)
        self._report()

    def _measure(self, pair: Pair) -> None:
        self._measured[pair] = self._evaluator.measure(self._modelled[pair])
        self._report()

    def _rehouse_front(self) -> None:
        """Model the front's networks whose accelerators were never built on the nearest one that was."""
        built = self._built()
        feasible = self._feasible(map(self._known, self._modelled))
        for evaluation in pareto_front(feasible, self._settings.objectives):
            wanted = evaluation.pair.accelerator
            if built and wanted not in built:
                nearest = min(built, key=lambda other: distance(other, wanted))
                self._model(Pair(evaluation.pair.architecture, nearest), self._evaluator.modelled)

    def _readmit(self) -> None:
        """Ask for the accuracy of pairs that the model turned away and the corrected model does not."""
        for rung, evaluations in enumerate(self._rungs):
            for pair, evaluation in evaluations.items():
                turned_away = evaluation.accuracy_tier is AccuracyTier.NOT_ASKED
                if turned_away and self._hardware_violation(self._corrected(evaluation)) <= 0:
                    evaluations[pair] = self._evaluator.readmit(evaluation, rung)

    def _known(self, pair: Pair) -> Evaluation:
        """The best that is known of a pair: what was measured and implemented, else what was modelled, corrected."""
        measured = self._measured.get(pair)
        return self._corrected(self._modelled[pair]) if measured is None else self._on_chips(measured)

    def _corrected(self, evaluation: Evaluation) -> Evaluation:
        """``evaluation``, which is modelled, corrected by what was measured and implemented."""
        return self._on_chips(self._correct(evaluation))

    def _hardware_violation(self, evaluation: Evaluation) -> float:
        """By how much constraints are missed whatever the accuracy is; infinite where the pair cannot run."""
        return self._violation(evaluation, [c for c in self._settings.constraints if c.metric != "accuracy"])

    def _violation(self, evaluation: Evaluation, constraints: Iterable[Constraint]) -> float:
        if evaluation.cycles is None:
            return inf
        metrics = evaluation.metrics(self._settings.objectives.clock_mhz)
        return sum(max(0.0, constraint.violation(metrics)) for constraint in constraints)

    def _outcome(self, proposal: Proposal) -> Outcome:
        """What is known now of ``proposal``, whose pair was modelled."""
        pair = self._pairs[proposal.genes]
        if pair is None:
            return Outcome(proposal.genes, None, fidelity=proposal.fidelity)
        rung = self._rungs[proposal.fidelity]
        evaluation = self._known(pair) if rung is self._modelled else self._corrected(rung[pair])
        if evaluation.cycles is None:
            return Outcome(proposal.genes, None, fidelity=proposal.fidelity)
        admitted = self._hardware_violation(evaluation) <= 0
        metrics = evaluation.metrics(self._settings.objectives.clock_mhz)
        if not admitted or rung is not self._modelled:
            metrics["accuracy"] = nan
        excesses = tuple(constraint.violation(metrics) for constraint in self._settings.constraints)
        objectives = self._settings.objectives.proportional(evaluation) if admitted else None
        return Outcome(proposal.genes, objectives, excesses, proposal.fidelity)

    def _feasible(self, evaluations: Iterable[Evaluation]) -> list[Evaluation]:
        constraints, clock = self._settings.constraints, self._settings.objectives.clock_mhz
        return [evaluation for evaluation in evaluations if satisfies(evaluation, constraints, clock)]

    def _measured_front(self) -> list[Evaluation]:
        return pareto_front(self._feasible(map(self._known, self._measured)), self._settings.objectives)

    def _measure_and_implement(self, builds: int) -> bool:
        """Whether anything new is known of the front, for which at most ``builds`` accelerators were built in all."""
        measured, before = self._measure_front(builds), self._on_chips
        front = self._measured_front()
        self._on_chips = self._implement(list(dict.fromkeys(member.pair.accelerator for member in front)))
        self._readmit()
        return measured or self._on_chips != before

    def _measure_front(self, builds: int) -> bool:
        """Measure the front's pairs that are not yet, on at most ``builds`` accelerators in all; whether any was."""
        built = self._built()
        candidates = self._feasible(map(self._known, self._modelled))
        if len(built) >= builds:
            candidates = [evaluation for evaluation in candidates if evaluation.pair.accelerator in built]
        front = pareto_front(candidates, self._settings.objectives)
        waiting = [evaluation.pair for evaluation in front if evaluation.pair not in self._measured]
        wanted = Counter(pair.accelerator for pair in waiting if pair.accelerator not in built)
        allowed = {*built, *(accelerator for accelerator, _ in wanted.most_common(max(0, builds - len(built))))}
        chosen = [pair for pair in waiting if pair.accelerator in allowed]
        for pair in chosen:
            self._measure(pair)
        self._correct = correction(self._modelled, self._measured)
        return bool(chosen)

    def _report(self) -> None:
        self._on_progress(
            Progress(
                round=self._round,
                screened=sum(map(len, self._rungs[:-1])),
                modelled=len(self._modelled),
                accuracies=self._evaluator.accuracies,
                measured=len(self._measured),
                accelerators=len(self._built()),
            )
        )
