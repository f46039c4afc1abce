"""What every search space offers: strings, integer genotypes and torch networks of its architectures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from torch import nn

from hwgen.errors import InputError

Genotype = tuple[int, ...]


class ArchitectureError(InputError):
    """An architecture that a space does not hold; the message says what is accepted."""


@dataclass(frozen=True)
class ImageShape:
    """Square images of ``size`` x ``size`` pixels and ``channels`` channels."""

    size: int
    channels: int


@dataclass(frozen=True)
class Space(ABC):
    """A finite set of architectures for one image shape.

    An architecture is a string; its genotype has one gene per choice, gene ``i`` in ``range(choices[i])``. Several
    strings may compute the same function: ``canonical`` maps them to one, and everything that returns an architecture
    returns a canonical one.
    """

    image: ImageShape
    classes: int

    name = ""

    @property
    @abstractmethod
    def choices(self) -> tuple[int, ...]:
        """The number of alternatives of each gene."""

    @abstractmethod
    def spell(self, genotype: Sequence[int]) -> str:
        """The string of a genotype as it stands, neither canonical nor checked for a constant output."""

    @abstractmethod
    def encode(self, architecture: str) -> Genotype:
        """The genotype of an architecture. Raises ArchitectureError where the string is not of this space."""

    @abstractmethod
    def canonical(self, architecture: str) -> str:
        """The one string for all architectures that compute the same function.

        Raises ArchitectureError where the string is not of this space or its output does not depend on the image.
        """

    @abstractmethod
    def build(self, architecture: str) -> nn.Module:
        """The untrained network: float images [N, channels, size, size] in [0, 1] to logits [N, classes].

        It is built as spelled. The same operation at the same place has the same parameter names in every network of
        the space, which is what a supernet shares weights by. Raises ArchitectureError as ``canonical`` does.
        """

    @abstractmethod
    def covering(self) -> tuple[str, ...]:
        """Architectures whose networks together hold every parameter of the space, each at its largest shape."""

    def decode(self, genotype: Sequence[int]) -> str:
        """The canonical architecture of a genotype. Raises ArchitectureError where the output would be constant."""
        return self.canonical(self.spell(genotype))

    @property
    def size(self) -> int:
        """The number of genotypes."""
        return prod(self.choices)

    def random(self, rng: np.random.Generator) -> str:
        """The architecture of a uniformly drawn legal genotype."""
        return self._first_legal(lambda: rng.integers(self.choices).tolist())

    def mutate(self, architecture: str, rng: np.random.Generator) -> str:
        """A different architecture, by redrawing one gene, or more of them while nothing changes."""
        parent = self.canonical(architecture)
        genes = list(self.encode(parent))
        child = parent
        while child == parent:
            position = int(rng.integers(len(genes)))
            genes[position] = int(rng.integers(self.choices[position]))
            if self.is_legal(genes):
                child = self.decode(genes)
        return child

    def crossover(self, first: str, second: str, rng: np.random.Generator) -> str:
        """A child that takes each gene from either parent with equal chance."""
        parents = np.array([self.encode(first), self.encode(second)])
        positions = np.arange(parents.shape[1])
        return self._first_legal(lambda: parents[rng.integers(2, size=len(positions)), positions].tolist())

    def is_legal(self, genotype: Sequence[int]) -> bool:
        """Whether the genotype's output depends on the image."""
        try:
            self.decode(genotype)
        except ArchitectureError:
            return False
        return True

    def _first_legal(self, draw: Callable[[], list[int]]) -> str:
        while True:
            genotype = draw()
            if self.is_legal(genotype):
                return self.decode(genotype)
