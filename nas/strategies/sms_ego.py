"""Evolution on a model of the oracle: SMS-EGO (Ponweiser et al., PPSN 2008) over integer genes.

Gaussian processes learn the objectives of what was told. What promises the largest gain in hypervolume, at the
optimistic end of the prediction, is proposed; candidates are bred from the front and from the most promising of them.
"""

from __future__ import annotations

import numpy as np
from moocore import filter_dominated, hypervolume

from nas.strategies.base import Genes, Outcome, Problem, Strategy, gene_rows, genes_of
from nas.strategies.breeding import children
from nas.strategies.gaussian_process import GaussianProcess

BATCH = 5
STARTUP = 20
"""Proposals before the first model."""
FEWEST = 5
"""Feasible outcomes that a model needs."""
CANDIDATES = 200
"""Bred in each of ROUNDS."""
ROUNDS = 3
PARENTS = 30
"""Most promising candidates that the next round is bred from."""
OPTIMISM = 1.0
"""Standard deviations by which predictions are bettered."""
NUDGE = 1e-6
"""Weight of being near the front where no gain is promised."""
REFERENCE = 1.1
"""Of the hypervolume, where the front is scaled to 0 to 1."""


class SmsEgo(Strategy):
    """Learns before every BATCH; within it, what was proposed counts as if it had kept its promise."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        ordered = np.array(problem.ordered)
        self._objective_models = [GaussianProcess(self._sizes, ordered) for _ in range(problem.objectives)]
        self._missed_model = GaussianProcess(self._sizes, ordered)
        self._parents = np.empty((0, len(self._sizes)), dtype=int)
        self._front = np.empty((0, problem.objectives))
        self._all_feasible = True

    @property
    def batch(self) -> int:
        return BATCH

    def _learn(self) -> None:
        outcomes = self._outcomes
        feasible = [outcome for outcome in outcomes if outcome.feasible]
        self._front = self._front[:0]
        if len(feasible) < FEWEST:
            self._parents = gene_rows(sorted(outcomes, key=_violation)[:FEWEST])
            return
        genes, values = gene_rows(feasible), np.array([outcome.objectives for outcome in feasible])
        for model, column in zip(self._objective_models, values.T, strict=True):
            model.fit(genes, column)
        self._all_feasible = len(feasible) == len(outcomes)
        if not self._all_feasible:
            missed = np.array([float(not outcome.feasible) for outcome in outcomes])
            self._missed_model.fit(gene_rows(outcomes), missed)
        self._front = filter_dominated(values)
        self._ideal = self._front.min(axis=0)
        self._span = np.maximum(self._front.max(axis=0) - self._ideal, 1e-9)
        members = {tuple(point) for point in self._front.tolist()}
        self._parents = genes[[tuple(point) in members for point in values.tolist()]]

    def _propose(self) -> Genes:
        if len(self._asked) < STARTUP or not len(self._parents):
            return self._new(self._uniform)
        if not len(self._front):
            return self._new(lambda: genes_of(children(self.problem, self._parents, 1, self._rng)[0]))
        candidates, gains, parents = self._parents[:0], np.empty(0), self._parents
        for _ in range(ROUNDS):
            bred = np.unique(children(self.problem, parents, CANDIDATES, self._rng), axis=0)
            gains = np.concatenate([gains, self._gains(bred)])
            candidates = np.concatenate([candidates, bred])
            best = np.argsort(-gains, kind="stable")
            parents = candidates[best[:PARENTS]]
        chosen = next((genes for genes in map(genes_of, candidates[best]) if genes not in self._asked), None)
        if chosen is None:
            return self._new(self._uniform)
        self._front = np.concatenate([self._front, self._promise(np.array([chosen]))])
        return chosen

    def _promise(self, genes: np.ndarray) -> np.ndarray:
        """float64 [n, objectives]: the optimistic end of the predicted objectives."""
        found = [model.predict(genes) for model in self._objective_models]
        return np.stack([posterior.mean - OPTIMISM * posterior.deviation for posterior in found], axis=1)

    def _gains(self, genes: np.ndarray) -> np.ndarray:
        """float64 [n]: promised gain in hypervolume, less where constraints may be missed."""
        front = (self._front - self._ideal) / self._span
        promises = (self._promise(genes) - self._ideal) / self._span
        volume = hypervolume(front, ref=REFERENCE)
        beaten = (front[:, None] <= promises).all(axis=2).any(axis=0) | (promises >= REFERENCE).any(axis=1)
        gains = NUDGE * np.exp(-promises.sum(axis=1))
        for index in np.flatnonzero(~beaten):
            gains[index] += hypervolume(np.vstack([front, promises[index]]), ref=REFERENCE) - volume
        if self._all_feasible:
            return gains
        return gains * np.clip(1 - self._missed_model.predict(genes).mean, 0, 1) ** 2


def _violation(outcome: Outcome) -> float:
    return outcome.violation
