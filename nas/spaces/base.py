"""What every search space offers: strings, integer genotypes and torch networks of its architectures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from torch import Tensor, nn

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

    def executed(self, choices: Tensor) -> Tensor:
        """Of distributions [n, values] over each gene's alternatives, how much of each choice is executed, 0 to 1.

        float32 [n, choices]; differentiable. Every choice is, unless a space knows better.
        """
        return choices

    def decode(self, genotype: Sequence[int]) -> str:
        """The canonical architecture of a genotype. Raises ArchitectureError where the output would be constant."""
        return self.canonical(self.spell(genotype))

    @property
    def size(self) -> int:
        """The number of genotypes."""
        return prod(self.choices)

    def random(self, rng: np.random.Generator) -> str:
        """The architecture of a uniformly drawn legal genotype."""
        while not self.is_legal(genotype := rng.integers(self.choices).tolist()):
            pass
        return self.decode(genotype)

    def is_legal(self, genotype: Sequence[int]) -> bool:
        """Whether the genotype's output depends on the image."""
        try:
            self.decode(genotype)
        except ArchitectureError:
            return False
        return True
