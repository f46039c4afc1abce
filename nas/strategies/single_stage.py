"""Single-stage co-design: networks and accelerators evolve together on a predictor that learns in the loop.

The line of Chen, Wang, Zhang and others (You Only Search Once, DATE 2020, and after): one search over pairs, in which a
predictor stands for the oracle and the weighted objectives are one reward under hard constraints. Here the predictor
says how sure it is: what promises most at the optimistic end of its prediction is asked, and it is refitted as outcomes
come; the weights are drawn anew for each proposal, so that the whole front is found that the one pair is chosen from.
"""

from __future__ import annotations

from math import nan

import numpy as np

from nas.strategies.base import Genes, Problem, Strategy, gene_rows, genes_of
from nas.strategies.breeding import children
from nas.strategies.ensemble import Ensemble, feature_count, gene_features

BATCH = 8
STARTUP = 24
"""Proposals before the first fit."""
FEWEST = 5
"""Feasible outcomes that a fit needs."""
GENERATIONS = 6
CHILDREN = 60
"""Bred in each generation."""
PARENTS = 20
"""Fittest that the next generation is bred from."""
OPTIMISM = 1.0
"""Standard deviations by which predictions are bettered."""
AUGMENTATION = 0.05
"""Weight of the sum beside the largest of the weighted objectives."""
PENALTY = 10.0
"""Of a predicted violation."""


class SingleStage(Strategy):
    """Each proposal is the fittest new one of an evolution of its own."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        self._predictor = Ensemble(feature_count(problem), problem.objectives + 1, seed)
        self._parents = np.empty((0, len(self._sizes)), dtype=int)
        self._known = np.empty((0, problem.objectives))
        """Objectives of the parents; none while the predictor is not fitted."""

    @property
    def batch(self) -> int:
        return BATCH

    def _learn(self) -> None:
        outcomes = self._outcomes
        feasible = [outcome for outcome in outcomes if outcome.feasible]
        if len(feasible) < FEWEST:
            least = sorted(outcomes, key=lambda outcome: outcome.violation)[:FEWEST]
            self._parents, self._known = gene_rows(least), self._known[:0]
            return
        unknown = (nan,) * self.problem.objectives
        values = np.array([(*(outcome.objectives or unknown), outcome.missed) for outcome in outcomes])
        self._predictor.fit(gene_features(self.problem, gene_rows(outcomes)), values)
        self._parents, self._known = gene_rows(feasible), np.array([outcome.objectives for outcome in feasible])
        self._ideal = self._known.min(axis=0)
        self._span = np.maximum(self._known.max(axis=0) - self._ideal, 1e-9)

    def _propose(self) -> Genes:
        if len(self._asked) < STARTUP or not len(self._parents):
            return self._new(self._uniform)
        if not len(self._known):
            return self._new(lambda: genes_of(children(self.problem, self._parents, 1, self._rng)[0]))
        weights = self._rng.dirichlet(np.ones(self.problem.objectives))
        fittest = np.argsort(self._reward_missed(self._known, weights), kind="stable")
        parents = self._parents[fittest[:PARENTS]]
        for _ in range(GENERATIONS):
            bred = children(self.problem, parents, CHILDREN, self._rng)
            pool = np.unique(np.concatenate([parents, bred]), axis=0)
            pool = pool[np.argsort(self._unfitness(pool, weights), kind="stable")]
            parents = pool[:PARENTS]
        new = (genes for genes in map(genes_of, pool) if genes not in self._asked)
        return next(new, None) or self._new(self._uniform)

    def _unfitness(self, genes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """float64 [n]: what the predictor promises of ``genes`` [n, genes], worse where constraints may be missed."""
        mean, deviation = self._predictor.predict(gene_features(self.problem, genes))
        promise = mean[:, :-1] - OPTIMISM * deviation[:, :-1]
        return self._reward_missed(promise, weights) + PENALTY * np.maximum(mean[:, -1], 0)

    def _reward_missed(self, objectives: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """float64 [n]: the augmented Tchebycheff norm of ``objectives`` [n, objectives], scaled to what is known."""
        weighted = weights * (objectives - self._ideal) / self._span
        return weighted.max(axis=1) + AUGMENTATION * weighted.sum(axis=1)
