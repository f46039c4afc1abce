"""NSGA-II (Deb et al., 2002) over integer genes.

Parents come from the best of everything told, so that it may be asked while earlier proposals are pending; asked for a
population at a time, its generations are the paper's.
"""

from __future__ import annotations

import numpy as np

from nas.strategies.base import Genes, Problem, Strategy
from nas.strategies.ranking import Fitness, fittest

MUTATIONS = 3
"""Genes of a child that are drawn anew, on average."""


class Nsga2(Strategy):
    """Tournaments among ``problem.population`` survivors, uniform crossover and mutation."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        self._survivors: list[tuple[Genes, Fitness]] = []

    @property
    def batch(self) -> int:
        return self.problem.population

    def _propose(self) -> Genes:
        if len(self._asked) < self.problem.population or not self._survivors:
            return self._new(self._uniform)
        return self._new(self._child)

    def _child(self) -> Genes:
        parents = np.array([self._tournament(), self._tournament()])
        genes = parents[self._rng.integers(2, size=len(self._sizes)), np.arange(len(self._sizes))]
        return self._mutated(genes)

    def _tournament(self) -> Genes:
        """The fitter of two survivors."""
        first, second = self._rng.integers(len(self._survivors), size=2)
        return min(self._survivors[first], self._survivors[second], key=lambda survivor: survivor[1])[0]

    def _mutated(self, genes: np.ndarray) -> Genes:
        """About MUTATIONS genes change: unordered ones are drawn anew, of ordered ones half take a step instead."""
        count = len(genes)
        steps = np.clip(genes + self._rng.choice([-1, 1], size=count), 0, self._sizes - 1)
        stepping = np.array(self.problem.ordered) & (self._rng.random(count) < 0.5)
        changed = np.where(stepping, steps, self._rng.integers(self._sizes))
        return tuple(np.where(self._rng.random(count) < MUTATIONS / count, changed, genes).tolist())

    def _learn(self) -> None:
        self._survivors = fittest(self.problem, self._outcomes, self.problem.population, self._rng)
