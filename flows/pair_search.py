"""The joint search over pairs: NSGA-II on modelled cycles, steered by cycles measured in RTL simulation.

Every pair is modelled; the pairs that enter the front are measured, generation by generation, and what was measured
corrects the model. The search is a deterministic function of its settings and of the evaluations, so an interrupted one
resumes by running again from the start with the finished evaluations at hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from flows.accelerators import AcceleratorSpace, distance
from flows.constraints import Constraint
from flows.evaluation import Evaluation, Evaluator, Pair, Tier, corrected
from flows.evaluation_log import EvaluationLog
from flows.nsga2 import GeneticSearch
from flows.pareto import OBJECTIVES, objective_vector, pareto_front, satisfies
from hwgen.config import AcceleratorConfig
from nas.accuracy import Accuracy

WORST = 1e12
"""Objective and violation of what is no network or cannot run; infinity would not rank."""


class ArchitectureSpace(Protocol):
    """What the search needs of a network space; ``nas.spaces.Space`` has it."""

    @property
    def choices(self) -> tuple[int, ...]:
        """Number of alternatives of each gene."""

    def is_legal(self, genotype: Sequence[int]) -> bool:
        """Whether the genotype stands for a network."""

    def decode(self, genotype: Sequence[int]) -> str:
        """The architecture that a legal genotype stands for; networks that compute the same have one name."""


@dataclass(frozen=True)
class SearchSettings:
    """The size of a search and what it asks for."""

    population: int
    generations: int
    accelerator_builds: int
    """How many different accelerators may be built and simulated."""
    constraints: tuple[Constraint, ...]
    clock_mhz: float
    seed: int


@dataclass(frozen=True)
class Progress:
    """How far a search has come."""

    generation: int
    modelled: int
    measured: int
    accelerators: int


class PairSearch:
    """One search over ``architectures`` x ``accelerators``; finished evaluations come from and go to ``log``."""

    def __init__(
        self,
        architectures: ArchitectureSpace,
        accelerators: AcceleratorSpace,
        evaluator: Evaluator,
        settings: SearchSettings,
        log: EvaluationLog,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._architectures = architectures
        self._accelerators = accelerators
        self._evaluator = evaluator
        self._settings = settings
        self._log = log
        self._on_progress = on_progress
        self._modelled: dict[Pair, Evaluation] = {}
        self._measured: dict[Pair, Evaluation] = {}
        self._accuracies = {
            found.pair.architecture: Accuracy(found.accuracy, found.accuracy_tier, found.accuracy_provenance)
            for found in log
        }
        self._generation = 0

    def run(self) -> list[Evaluation]:
        """The Pareto front, every member of it measured; pairs that miss a constraint or cannot run are not in it."""
        settings = self._settings
        genetic = GeneticSearch(
            self._architectures.choices + self._accelerators.gene_sizes,
            objectives=len(OBJECTIVES),
            constraints=len(settings.constraints),
            population=settings.population,
            generations=settings.generations,
            seed=settings.seed,
        )
        for generation, genes in enumerate(genetic.generations(), start=1):
            self._generation = generation
            genetic.tell(*self._scores(genes))
            allowed = settings.accelerator_builds * generation // settings.generations
            if self._measure_front(allowed):
                genetic.revise(*self._scores(genetic.survivors))
        while self._measure_front(settings.accelerator_builds):
            pass
        return pareto_front(self._feasible(self._measured.values()), settings.clock_mhz)

    def _pair(self, genes: np.ndarray) -> Pair | None:
        """The pair that ``genes`` stand for, on the nearest accelerator built once no further may be built."""
        split = len(self._architectures.choices)
        architecture, accelerator_genes = genes[:split].tolist(), genes[split:].tolist()
        if not self._architectures.is_legal(architecture):
            return None
        accelerator = self._accelerators.decode(accelerator_genes)
        built = self._built()
        if len(built) >= self._settings.accelerator_builds:
            accelerator = min(built, key=lambda candidate: distance(candidate, accelerator))
        return Pair(self._architectures.decode(architecture), accelerator)

    def _built(self) -> dict[AcceleratorConfig, None]:
        """The accelerators simulated so far, in order."""
        return dict.fromkeys(pair.accelerator for pair in self._measured)

    def _model(self, pair: Pair) -> None:
        if pair not in self._modelled:
            self._modelled[pair] = self._evaluated(pair, Tier.MODELLED, self._evaluator.modelled_cycles)
            self._report()

    def _measure(self, pair: Pair) -> None:
        self._measured[pair] = self._evaluated(pair, Tier.MEASURED, self._evaluator.measured_cycles)
        self._report()

    def _evaluated(self, pair: Pair, tier: Tier, cycles: Callable[[Pair], int | None]) -> Evaluation:
        """The evaluation found in the log, or else a new one appended to it."""
        found = self._log.find(pair, tier)
        if found is not None:
            return found
        if pair.architecture not in self._accuracies:
            self._accuracies[pair.architecture] = self._evaluator.accuracy(pair.architecture)
        accuracy = self._accuracies[pair.architecture]
        evaluation = Evaluation(pair, tier, cycles(pair), accuracy.value, accuracy.tier, accuracy.provenance)
        self._log.append(evaluation)
        return evaluation

    def _known(self) -> dict[Pair, Evaluation]:
        """The best that is known of every pair: its measurement, or its modelled cycles corrected by measurements."""
        return {**self._modelled, **corrected(self._modelled, self._measured), **self._measured}

    def _scores(self, genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Objectives and violations of the individuals of ``genes``, from what is known now."""
        pairs = [self._pair(individual) for individual in genes]
        for pair in pairs:
            if pair is not None:
                self._model(pair)
        known, clock, constraints = self._known(), self._settings.clock_mhz, self._settings.constraints
        objectives = np.full((len(genes), len(OBJECTIVES)), WORST)
        violations = np.full((len(genes), len(constraints)), WORST)
        for index, pair in enumerate(pairs):
            if pair is not None:
                metrics = known[pair].metrics(clock)
                objectives[index] = np.minimum(objective_vector(known[pair], clock), WORST)
                violations[index] = [min(constraint.violation(metrics), WORST) for constraint in constraints]
        return objectives, violations

    def _feasible(self, evaluations: Iterable[Evaluation]) -> list[Evaluation]:
        constraints, clock = self._settings.constraints, self._settings.clock_mhz
        return [evaluation for evaluation in evaluations if satisfies(evaluation, constraints, clock)]

    def _measure_front(self, builds: int) -> bool:
        """Measure the front's pairs that are not yet, on at most ``builds`` accelerators in all; whether any was."""
        built = self._built()
        candidates = self._feasible(self._known().values())
        if len(built) >= builds:
            candidates = [evaluation for evaluation in candidates if evaluation.pair.accelerator in built]
        front = pareto_front(candidates, self._settings.clock_mhz)
        waiting = [evaluation.pair for evaluation in front if evaluation.pair not in self._measured]
        wanted = Counter(pair.accelerator for pair in waiting if pair.accelerator not in built)
        allowed = {*built, *(accelerator for accelerator, _ in wanted.most_common(max(0, builds - len(built))))}
        chosen = [pair for pair in waiting if pair.accelerator in allowed]
        for pair in chosen:
            self._measure(pair)
        return bool(chosen)

    def _report(self) -> None:
        self._on_progress(
            Progress(
                generation=self._generation,
                modelled=len(self._modelled),
                measured=len(self._measured),
                accelerators=len(self._built()),
            )
        )
