"""What every search strategy offers: it proposes genotypes, and is told what they came to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nas.strategies.cost_network import CostNetwork

Genes = tuple[int, ...]

ATTEMPTS = 100
"""Draws after which a proposal may repeat an earlier one: nearly all that a strategy would propose was."""


def themselves(genes: Genes) -> Genes:
    """Where no genes stand for what others do."""
    return genes


@dataclass(frozen=True)
class Problem:
    """What is searched: gene ``i`` is in ``range(gene_sizes[i])``."""

    gene_sizes: tuple[int, ...]
    ordered: tuple[bool, ...]
    """Per gene: whether neighbouring values are alike, as sizes are; the values of another are unordered choices."""
    objectives: int
    budget: int
    """How many proposals will be asked for in all."""
    population: int
    """Proposals of a generation, for strategies that have generations."""
    fidelities: int = 1
    """How truly genes can be evaluated: 0 is the cheapest, the last is the one whose outcomes count."""
    network_genes: int = 0
    """How many of the genes, the first ones, are the network's, where the others are the accelerator's."""
    costs: CostNetwork | None = None
    """Trained beforehand: estimates of some objectives, of which the others are the network's alone."""
    costed: tuple[int, ...] = ()
    """The objectives that its first estimates are of."""
    canonical: Callable[[Genes], Genes | None] = themselves
    """The same genes for all that stand for the same; None for those that stand for nothing."""


@dataclass(frozen=True)
class Proposal:
    """Genes to evaluate, and how truly."""

    genes: Genes
    fidelity: int = 0
    """In ``range(problem.fidelities)``."""


@dataclass(frozen=True)
class Outcome:
    """What a proposal came to."""

    genes: Genes
    objectives: tuple[float, ...] | None
    """Finite, to be minimised; None where not evaluated, as the genes stand for nothing or miss a constraint."""
    excesses: tuple[float, ...] = ()
    """By how much each constraint is missed, relative to its bound, and negative where there is room to it.

    NaN where that was not asked for; none at all where the genes stand for nothing.
    """
    fidelity: int = 0
    """At which the genes were evaluated; only objectives of the same fidelity compare."""

    @property
    def proposal(self) -> Proposal:
        """Whose outcome it is."""
        return Proposal(self.genes, self.fidelity)

    @property
    def violation(self) -> float:
        """By how much constraints are missed in all: 0 where none is, infinite where the genes stand for nothing."""
        missed = sum(excess for excess in self.excesses if excess > 0)
        return missed if missed > 0 or self.objectives is not None else inf

    @property
    def feasible(self) -> bool:
        """Whether it meets every constraint and its objectives are known."""
        return self.objectives is not None and self.violation <= 0

    @property
    def missed(self) -> float:
        """The violation on a scale from 0 to 1, where infinity has its place."""
        return 1.0 if self.violation == inf else self.violation / (1 + self.violation)


def gene_rows(outcomes: Sequence[Outcome]) -> np.ndarray:
    """int [n, genes]: what was evaluated, for models that learn from it."""
    return np.array([outcome.genes for outcome in outcomes])


def genes_of(row: np.ndarray) -> Genes:
    """One of ``gene_rows``, or of what was bred from them, as it is proposed."""
    return tuple(row.tolist())


class Strategy(ABC):
    """Proposes by ``ask``, and learns by ``tell``.

    Outcomes may be told in any order and for any part of what was asked; between two asks their order does not matter.
    What is told again replaces what was told before. Proposals are a deterministic function of the problem, the seed
    and the calls: replaying the calls repeats the proposals, which is how a search resumes.
    """

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem = problem
        self._rng = np.random.default_rng(seed)
        self._sizes = np.array(problem.gene_sizes)
        self._asked: dict[Genes, int] = {}
        """Their numbers, in the order in which they were first asked for."""
        self._proposals: set[Proposal] = set()
        self._told: dict[Proposal, Outcome] = {}
        self._learnt = True

    @property
    def batch(self) -> int:
        """How many proposals it would best be asked for at once: all are told before it learns of any."""
        return 1

    def ask(self, count: int) -> list[Proposal]:
        """``count`` proposals; a repetition among all asked so far only where there is hardly anything else."""
        if not self._learnt:
            self._learn()
            self._learnt = True
        proposals = []
        for _ in range(count):
            proposal = self._proposal()
            self._asked.setdefault(proposal.genes, len(self._asked))
            self._proposals.add(proposal)
            proposals.append(proposal)
        return proposals

    def tell(self, outcomes: Iterable[Outcome]) -> None:
        """Take outcomes. Raises ValueError where one was never asked for."""
        for outcome in outcomes:
            if outcome.proposal not in self._proposals:
                raise ValueError(f"outcome: {outcome.proposal} was never asked for; accepted: proposals")
            if self._told.get(outcome.proposal) != outcome:
                self._told[outcome.proposal] = outcome
                self._learnt = False

    @abstractmethod
    def _propose(self) -> Genes:
        """The next genes."""

    def _proposal(self) -> Proposal:
        """The next proposal: the next genes, to be evaluated as truly as can be."""
        return Proposal(self._propose(), self.problem.fidelities - 1)

    def _learn(self) -> None:  # noqa: B027 (a strategy need not learn)
        """Take in what was told since the last call; called before proposals."""

    @property
    def _outcomes(self) -> list[Outcome]:
        """The last outcome of everything told, in the order in which its genes were asked for."""
        return sorted(self._told.values(), key=lambda outcome: (self._asked[outcome.genes], outcome.fidelity))

    def _uniform(self) -> Genes:
        """Genes drawn uniformly."""
        return tuple(self._rng.integers(self._sizes).tolist())

    def _drawn(self) -> Genes:
        """Genes drawn uniformly until they stand for something, or ATTEMPTS times."""
        for _ in range(ATTEMPTS):
            genes = self._uniform()
            canonical = self.problem.canonical(genes)
            if canonical is not None:
                return canonical
        return genes

    def _new(self, draw: Callable[[], Genes]) -> Genes:
        """What ``draw`` gives that was not asked for yet; anything after ATTEMPTS."""
        for _ in range(ATTEMPTS):
            genes = draw()
            if genes not in self._asked:
                return genes
        return genes
