"""Optimist, this project's own: evolution on Gaussian processes that are optimistic about objectives and constraints.

Gaussian processes learn the objectives of what was told, and of each constraint that was missed by how much it was, or
how much room there was to it. What promises the largest gain in hypervolume at the optimistic end of the predictions
is proposed: SMS-EGO's promise (Ponweiser et al., PPSN 2008), with the hypervolume as a mean over directions, and with
constraints that are believed missed only where even an optimist thinks so. With one objective that is the lower
confidence bound of it. Candidates are bred from the fittest that is known, and then from the most promising of
themselves; each proposal draws how optimistic it is, and is more so where that promises no advance, or, before enough
is feasible, nothing feasible: else what is proposed would be neighbours of the best, known not to be better. Of genes
that stand for the same, the problem's canonical ones alone are proposed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf

import numpy as np
from moocore import is_nondominated

from nas.strategies.base import Genes, Outcome, Problem, Strategy, gene_rows, genes_of
from nas.strategies.breeding import children
from nas.strategies.directions import gains, random_directions, reaches
from nas.strategies.gaussian_process import GaussianProcess, Posterior
from nas.strategies.ranking import fittest

BATCH = 5
STARTUP = 20
"""Proposals before the first model."""
FEWEST = 5
"""Feasible outcomes that a model of the objectives needs."""
MOST = 1000
"""Outcomes, the last ones, that a model learns: it costs their number's cube."""
KNOWN = 20
"""Fittest outcomes that the first candidates are bred from."""
CANDIDATES = 200
"""Bred in each of ROUNDS."""
ROUNDS = 3
PARENTS = 30
"""Most promising candidates that the next round is bred from."""
DIRECTIONS = 256
SHORTFALL = 1e-3
"""Weight of how near the front a candidate comes, for where none promises a gain."""
PENALTY = 20.0
"""Standard deviations that each objective is worsened by, for one that constraints are believed missed by."""
SMALL = 0.1
"""Part of the excesses, below which they hardly differ to the model."""
ADVANCE = 1e-2
"""Of the front's span: what a proposal has to promise; less is what models leave open between neighbours."""
MORE, MOST_OPTIMISTIC = 1.25, 8.0
"""Factor of the optimism while nothing promises an advance, and where that ends."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Genes that may be proposed, and what the models say of them."""

    genes: np.ndarray
    """int [n, genes]."""
    objectives: tuple[Posterior, ...]
    """None while too little is feasible."""
    excesses: tuple[Posterior, ...]
    """Over each constraint that was missed."""

    def joined(self, other: Candidates) -> Candidates:
        """These and the ``other`` ones."""
        genes = np.concatenate([self.genes, other.genes])
        objectives, excesses = (
            tuple(one.joined(two) for one, two in zip(mine, others, strict=True))
            for mine, others in ((self.objectives, other.objectives), (self.excesses, other.excesses))
        )
        return Candidates(genes, objectives, excesses)

    def believed(self, index: int) -> Candidates:
        """As if number ``index`` had been evaluated and come to what is expected of it."""
        objectives = tuple(posterior.believed(index) for posterior in self.objectives)
        excesses = tuple(posterior.believed(index) for posterior in self.excesses)
        return replace(self, objectives=objectives, excesses=excesses)


class Optimist(Strategy):
    """Learns before every BATCH; within it, what was proposed counts as if it had kept its promise."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        self._model = partial(GaussianProcess, self._sizes, np.array(problem.ordered))
        self._objective_models = [self._model() for _ in range(problem.objectives)]
        self._excess_models: defaultdict[int, GaussianProcess] = defaultdict(self._model)
        self._missed: list[int] = []
        """Of the columns of ``_excesses``, those that are more than zero somewhere."""
        self._directions = random_directions(problem.objectives, DIRECTIONS if problem.objectives > 1 else 1, self._rng)
        self._parents = np.empty((0, len(self._sizes)), dtype=int)
        self._candidates: Candidates | None = None
        """Of this batch; None until they are bred."""

    @property
    def batch(self) -> int:
        return BATCH

    def _learn(self) -> None:
        outcomes = self._outcomes
        self._candidates = None
        self._parents = np.array([genes for genes, _ in fittest(self.problem, outcomes, KNOWN, self._rng)])
        feasible = [outcome for outcome in outcomes if outcome.feasible]
        self._enough_feasible = len(feasible) >= FEWEST
        recent = outcomes[-MOST:]
        excesses = _excesses(recent)
        self._missed = np.flatnonzero((excesses > 0).any(axis=0)).tolist()
        for index in self._missed:
            asked = np.isfinite(excesses[:, index])
            self._excess_models[index].fit(gene_rows(recent)[asked], excesses[asked, index])
        if self._enough_feasible:
            known = [outcome for outcome in outcomes if outcome.objectives is not None][-MOST:]
            for model, column in zip(self._objective_models, _objectives(known).T, strict=True):
                model.fit(gene_rows(known), column)
            values = _objectives(feasible)
            front = values[is_nondominated(values)]
            self._ideal, nadir = front.min(axis=0), front.max(axis=0)
            span = np.where(nadir > self._ideal, nadir - self._ideal, values.max(axis=0) - self._ideal)
            self._span = np.maximum(span, 1e-9)
            self._front = reaches((front - self._ideal) / self._span, self._directions).max(axis=0)

    def _propose(self) -> Genes:
        if len(self._asked) < STARTUP or not len(self._parents):
            return self._new(self._drawn)
        self._candidates = self._candidates or self._bred()
        if self._candidates is None:
            return self._new(self._drawn)
        asked = [tuple(genes) in self._asked for genes in self._candidates.genes.tolist()]
        if all(asked):
            return self._new(self._drawn)
        best, reached = self._most_promising(self._candidates, asked)
        if self._enough_feasible:
            self._front = np.maximum(self._front, reached)
        self._candidates = self._candidates.believed(best)
        return genes_of(self._candidates.genes[best])

    def _most_promising(self, candidates: Candidates, asked: Sequence[bool]) -> tuple[int, np.ndarray]:
        """Which of those not ``asked`` for yet, and float64 [directions], how far it reaches."""
        optimism = abs(self._rng.normal())
        while True:
            promise, reached = self._promises(candidates, optimism)
            best = int(np.argmax(np.where(asked, -np.inf, promise)))
            enough = (reached[best] - self._front).max() > ADVANCE if self._enough_feasible else promise[best] >= 0
            if enough or optimism > MOST_OPTIMISTIC:
                return best, reached[best]
            optimism = MORE * max(optimism, 0.5)

    def _bred(self) -> Candidates | None:
        """New ones of ROUNDS; None where all that was bred was asked for."""
        parents, found = self._parents, None
        met = set(self._asked)
        for _ in range(ROUNDS):
            bred = map(genes_of, children(self.problem, parents, CANDIDATES, self._rng))
            different = dict.fromkeys(map(self.problem.canonical, bred))
            new = [genes for genes in different if genes is not None and genes not in met]
            met.update(new)
            if new:
                more = self._predicted(np.array(new))
                found = more if found is None else found.joined(more)
                promise, _ = self._promises(found, 1.0)
                parents = found.genes[np.argsort(-promise, kind="stable")[:PARENTS]]
        return found

    def _predicted(self, genes: np.ndarray) -> Candidates:
        objectives = [model.predict(genes) for model in self._objective_models if self._enough_feasible]
        return Candidates(genes, tuple(objectives), tuple(self._excess_models[i].predict(genes) for i in self._missed))

    def _promises(self, candidates: Candidates, optimism: float) -> tuple[np.ndarray, np.ndarray]:
        """float64 [n]: the larger, the better; and [n, directions], how far each reaches.

        ``optimism`` is how many standard deviations predictions are bettered by.
        """
        violation = np.zeros(len(candidates.genes))
        for excess in candidates.excesses:
            lower = excess.mean - optimism * excess.deviation
            violation += np.maximum(lower / excess.model.deviation, 0)
        if not candidates.objectives:
            return -violation, np.empty((len(violation), 0))
        promised = [
            found.mean - optimism * found.deviation + PENALTY * violation * found.model.deviation
            for found in candidates.objectives
        ]
        points = (np.stack(promised, axis=1) - self._ideal) / self._span
        reached = reaches(points, self._directions)
        gain = gains(reached, self._front, self.problem.objectives)
        return gain + SHORTFALL * (reached - self._front).max(axis=1), reached


def _objectives(outcomes: Sequence[Outcome]) -> np.ndarray:
    """float64 [n, objectives]."""
    return np.array([outcome.objectives for outcome in outcomes])


def _excesses(outcomes: Sequence[Outcome]) -> np.ndarray:
    """float64 [n, 1 + constraints], NaN where not asked for: above 0 where missed.

    The first is whether the genes stand for nothing. On a scale on which small ones, on either side, differ as much as
    large ones; what is missed without bound is missed by as much as the most that is not.
    """
    constraints = max(len(outcome.excesses) for outcome in outcomes)
    nothing = np.array([1.0 if outcome.violation == inf else -1.0 for outcome in outcomes])
    excesses = np.full((len(outcomes), constraints), np.nan)
    for row, outcome in zip(excesses, outcomes, strict=True):
        row[: len(outcome.excesses)] = outcome.excesses
    return np.column_stack([nothing, *map(_compressed, excesses.T)])


def _compressed(excesses: np.ndarray) -> np.ndarray:
    """float64 [n]: logarithms of [n] excesses, on either side of 0, which stays where it is."""
    sizes = np.abs(excesses[np.isfinite(excesses) & (excesses != 0)])
    small, largest = (np.quantile(sizes, SMALL), sizes.max()) if len(sizes) else (1.0, 1.0)
    return np.asarray(np.sign(excesses) * np.log1p(np.minimum(np.abs(excesses), largest) / small))
