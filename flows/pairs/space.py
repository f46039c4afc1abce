"""The joint space of a network space and an accelerator space, as a strategy sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from flows.pairs.accelerator_space import AcceleratorSpace
from flows.pairs.evaluation import Pair
from flows.pairs.objectives import BESIDE_ACCURACY
from nas.strategies import Genes, Problem

if TYPE_CHECKING:
    from nas.strategies.cost_network import CostNetwork


class ArchitectureSpace(Protocol):
    """What the search needs of a network space; ``nas.spaces.Space`` has it."""

    @property
    def choices(self) -> tuple[int, ...]:
        """Number of alternatives of each gene."""

    def is_legal(self, genotype: Sequence[int]) -> bool:
        """Whether the genotype stands for a network."""

    def decode(self, genotype: Sequence[int]) -> str:
        """The architecture that a legal genotype stands for; networks that compute the same have one name."""

    def encode(self, architecture: str) -> Genes:
        """A genotype of it."""


@dataclass(frozen=True)
class PairSpace:
    """A genotype is one index per choice of the network space, then one per field of the accelerator space."""

    architectures: ArchitectureSpace
    accelerators: AcceleratorSpace

    def problem(
        self,
        budget: int,
        population: int,
        fidelities: int = 1,
        costs: CostNetwork | None = None,
        costed: tuple[int, ...] = (),
        objectives: int = 1 + len(BESIDE_ACCURACY),
    ) -> Problem:
        """What a strategy is given; ``costs`` estimate the objectives ``costed``."""
        networks = self.architectures.choices
        return Problem(
            gene_sizes=networks + self.accelerators.gene_sizes,
            ordered=(False,) * len(networks) + self.accelerators.ordered_genes,
            objectives=objectives,
            budget=budget,
            population=population,
            fidelities=fidelities,
            network_genes=len(networks),
            costs=costs,
            costed=costed,
            canonical=cache(self.canonical),
        )

    def canonical(self, genes: Genes) -> Genes | None:
        """Of all genes with one network on one accelerator the same; None where they are no network."""
        split = len(self.architectures.choices)
        network = self.canonical_network(genes[:split])
        return None if network is None else network + genes[split:]

    def canonical_network(self, genes: Genes) -> Genes | None:
        """Of all genes of one network the same; None where they are none."""
        if not self.architectures.is_legal(genes):
            return None
        return tuple(self.architectures.encode(self.architectures.decode(genes)))

    def pair(self, genes: Genes) -> Pair | None:
        """The pair that ``genes`` stand for; None where they are no network."""
        split = len(self.architectures.choices)
        if not self.architectures.is_legal(genes[:split]):
            return None
        return Pair(self.architectures.decode(genes[:split]), self.accelerators.decode(genes[split:]))
