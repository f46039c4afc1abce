"""Multi-fidelity search with a promotion ladder: asynchronous successive halving (Li et al., ASHA, MLSys 2020).

Of what was evaluated at a fidelity, the best by non-dominated sorting (Schmucker et al., 2021) is promoted to the next
one. What enters the ladder is bred from the best of the highest rung that knows enough, as in evolutionary Hyperband
(Awad et al., DEHB, IJCAI 2021).
"""

from __future__ import annotations

import numpy as np

from nas.strategies.base import Genes, Outcome, Problem, Proposal, Strategy, genes_of
from nas.strategies.breeding import children
from nas.strategies.ranking import fittest

REDUCTION = 3
"""Of so many evaluated at a fidelity, one climbs to the next."""
FEWEST = 8
"""Feasible outcomes that a rung knows where its best are bred from."""


class Successive(Strategy):
    """Promotes as soon as a rung has enough outcomes for it, the highest rung first; else a new one enters below."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        self._promotions: list[Proposal] = []
        self._parents = np.empty((0, len(self._sizes)), dtype=int)

    @property
    def batch(self) -> int:
        return max(1, self.problem.population // 2)

    def _learn(self) -> None:
        outcomes = self._outcomes
        rungs = [[o for o in outcomes if o.fidelity == fidelity] for fidelity in range(self.problem.fidelities)]
        self._promotions = [promotion for rung in reversed(rungs[:-1]) for promotion in self._promoted(rung)]
        knowing = [rung for rung in rungs if sum(outcome.feasible for outcome in rung) >= FEWEST]
        parents = self._best(knowing[-1], self.problem.population // 2) if knowing else []
        self._parents = np.array(parents, dtype=int).reshape(-1, len(self._sizes))

    def _promoted(self, rung: list[Outcome]) -> list[Proposal]:
        """Those of its best that are to climb now: no more ever climb than one in REDUCTION."""
        places = len(rung) // REDUCTION
        best = [Proposal(genes, rung[0].fidelity + 1) for genes in self._best(rung, places)]
        climbed = sum(Proposal(outcome.genes, outcome.fidelity + 1) in self._proposals for outcome in rung)
        return [promotion for promotion in best if promotion not in self._proposals][: places - climbed]

    def _best(self, rung: list[Outcome], count: int) -> list[Genes]:
        feasible = [outcome for outcome in rung if outcome.feasible]
        if not feasible or not count:
            return []
        return [genes for genes, _ in fittest(self.problem, feasible, count, self._rng)]

    def _proposal(self) -> Proposal:
        return self._promotions.pop(0) if self._promotions else Proposal(self._propose())

    def _propose(self) -> Genes:
        if not len(self._parents):
            return self._new(self._uniform)
        return self._new(lambda: genes_of(children(self.problem, self._parents, 1, self._rng)[0]))
