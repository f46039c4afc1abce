"""NSGA-II (Deb et al., 2002; ranking and crowding are pymoo's) over integer genes.

Parents come from the best of everything told, so that it may be asked while earlier proposals are pending; asked for a
population at a time, its generations are the paper's.
"""

from __future__ import annotations

import numpy as np
from pymoo.core.population import Population
from pymoo.core.problem import Problem as PymooProblem
from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

from nas.strategies.base import Genes, Outcome, Problem, Strategy

WORST = 1e12
"""Objective and violation of what was not evaluated; infinity would not rank."""
MUTATIONS = 3
"""Genes of a child that are drawn anew, on average."""


class Nsga2(Strategy):
    """Tournaments among ``problem.population`` survivors, uniform crossover and mutation."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        self._survivors: list[Genes] = []
        self._fitness: list[tuple[float, ...]] = []

    @property
    def batch(self) -> int:
        return self.problem.population

    def _propose(self) -> Genes:
        if len(self._asked) < self.problem.population or not self._survivors:
            return self._new(self._uniform)
        return self._new(self._child)

    def _child(self) -> Genes:
        parents = np.array([self._survivors[self._tournament()], self._survivors[self._tournament()]])
        genes = parents[self._rng.integers(2, size=len(self._sizes)), np.arange(len(self._sizes))]
        return self._mutated(genes)

    def _tournament(self) -> int:
        """The fitter of two survivors."""
        return min(self._rng.integers(len(self._survivors), size=2).tolist(), key=lambda index: self._fitness[index])

    def _mutated(self, genes: np.ndarray) -> Genes:
        """About MUTATIONS genes change: unordered ones are drawn anew, of ordered ones half take a step instead."""
        count = len(genes)
        steps = np.clip(genes + self._rng.choice([-1, 1], size=count), 0, self._sizes - 1)
        stepping = np.array(self.problem.ordered) & (self._rng.random(count) < 0.5)
        changed = np.where(stepping, steps, self._rng.integers(self._sizes))
        return tuple(np.where(self._rng.random(count) < MUTATIONS / count, changed, genes).tolist())

    def _learn(self) -> None:
        """Survivors, and their fitness: less is fitter."""
        outcomes = self._outcomes
        pool = Population.new(
            "X", np.array([outcome.genes for outcome in outcomes]),
            "F", np.array([self._objectives(outcome) for outcome in outcomes]),
            "G", np.array([[min(outcome.violation, WORST)] for outcome in outcomes]),
        )  # fmt: skip
        problem = PymooProblem(n_var=len(self._sizes), n_obj=self.problem.objectives, n_ieq_constr=1)
        survivors = RankAndCrowding().do(
            problem, pool, n_survive=min(self.problem.population, len(pool)), random_state=self._rng
        )
        self._survivors = [tuple(genes) for genes in survivors.get("X").tolist()]
        self._fitness = [
            (violation, 0, 0) if violation > 0 else (0, individual.get("rank"), -individual.get("crowding"))
            for individual, violation in zip(survivors, survivors.get("CV")[:, 0].tolist(), strict=True)
        ]

    def _objectives(self, outcome: Outcome) -> tuple[float, ...]:
        return (WORST,) * self.problem.objectives if outcome.objectives is None else outcome.objectives
