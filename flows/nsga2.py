"""NSGA-II (Deb et al., 2002; pymoo's) over integer genes, each the index of an unordered choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.operators.crossover.ux import UniformCrossover
from pymoo.operators.sampling.rnd import IntegerRandomSampling


class _RedrawMutation(Mutation):
    """Each gene is drawn anew with a probability of one over the number of genes: choices have no neighbours."""

    def _do(
        self, problem: Problem, genes: np.ndarray, *_: object, random_state: np.random.Generator, **__: object
    ) -> np.ndarray:
        drawn = random_state.integers(problem.xl, problem.xu + 1, size=genes.shape)
        return np.where(random_state.random(genes.shape) < 1 / problem.n_var, drawn, genes)


class GeneticSearch:
    """Proposes generations of genes (int arrays, n x genes) and is told their objectives and constraint violations.

    Objectives (n x objectives) are minimised; a violation (n x constraints) of at most 0 meets the constraint.
    """

    def __init__(
        self, gene_sizes: Sequence[int], objectives: int, constraints: int, population: int, generations: int, seed: int
    ) -> None:
        self._problem = Problem(
            n_var=len(gene_sizes),
            n_obj=objectives,
            n_ieq_constr=constraints,
            xl=np.zeros(len(gene_sizes), dtype=int),
            xu=np.array(gene_sizes) - 1,
            vtype=int,
        )
        self._algorithm = NSGA2(
            pop_size=population,
            sampling=IntegerRandomSampling(),
            crossover=UniformCrossover(),
            mutation=_RedrawMutation(),
        )
        self._algorithm.setup(self._problem, termination=("n_gen", generations), seed=seed)
        self._proposed = Population()

    def generations(self) -> Iterator[np.ndarray]:
        """The genes of each generation's new individuals; `tell` must be called before the next is drawn."""
        while self._algorithm.has_next():
            self._proposed = self._algorithm.ask()
            if self._proposed is None or len(self._proposed) == 0:
                return
            yield self._proposed.get("X")

    def tell(self, objectives: np.ndarray, violations: np.ndarray) -> None:
        """Take the objectives and violations of the generation drawn last."""
        self._proposed.set("F", objectives)
        self._proposed.set("G", violations)
        self._algorithm.tell(infills=self._proposed)

    @property
    def survivors(self) -> np.ndarray:
        """The genes of the current population."""
        return self._algorithm.pop.get("X")

    def revise(self, objectives: np.ndarray, violations: np.ndarray) -> None:
        """Replace what was told about the survivors, and rank them anew."""
        revised = Population.new("X", self.survivors, "F", objectives, "G", violations)
        self._algorithm.pop = self._algorithm.survival.do(
            self._problem, revised, random_state=self._algorithm.random_state
        )
