"""The NAS-Bench-Macro space: eight blocks of MBConv (Su et al., "Prioritized Architecture Sampling", CVPR 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from torch import nn

from nas.spaces.base import ArchitectureError, Genotype, Space
from nas.spaces.blocks import InvertedResidual, conv_bn, conv_bn_act, head, named


@dataclass(frozen=True)
class Macro(Space):
    """Architectures are strings of one digit per block: 0 identity, 1 MBConv 3x3 expansion 3, 2 MBConv 5x5 expansion 6.

    The first block of each stage has the stage's stride and doubles the channels, from ``channels`` after the stem;
    ``features`` is the width before the classifier.
    """

    channels: int = 32
    features: int = 1280
    stages: tuple[int, ...] = (2, 3, 3)
    strides: tuple[int, ...] = (2, 2, 2)

    name = "macro"

    @property
    def choices(self) -> tuple[int, ...]:
        return (3,) * sum(self.stages)

    def spell(self, genotype: Sequence[int]) -> str:
        return "".join(str(int(gene)) for gene in genotype)

    def encode(self, architecture: str) -> Genotype:
        if len(architecture) != sum(self.stages) or set(architecture) - set("012"):
            raise ArchitectureError(
                f"architecture: {architecture!r} is not of the macro space; "
                f"accepted: {sum(self.stages)} digits 0, 1 or 2"
            )
        return tuple(int(digit) for digit in architecture)

    def canonical(self, architecture: str) -> str:
        """Identities move to the end of their stage, where they change no shape."""
        self.encode(architecture)
        ends = list(accumulate(self.stages))
        stages = [architecture[end - blocks : end] for end, blocks in zip(ends, self.stages, strict=True)]
        return "".join(stage[0] + stage[1:].replace("0", "").ljust(len(stage) - 1, "0") for stage in stages)

    def covering(self) -> tuple[str, ...]:
        return tuple(digit * sum(self.stages) for digit in "012")

    def build(self, architecture: str) -> nn.Module:
        genes = iter(self.encode(architecture))
        channels = self.channels
        blocks: dict[str, nn.Module] = {}
        for stage, (depth, reduction) in enumerate(zip(self.stages, self.strides, strict=True)):
            for position in range(depth):
                gene = next(genes)
                outputs, stride = (2 * channels, reduction) if position == 0 else (channels, 1)
                blocks[f"stage{stage}_block{position}_op{gene}"] = _block(gene, channels, outputs, stride)
                channels = outputs
        return named(
            stem=conv_bn_act(self.image.channels, self.channels, 3, nn.ReLU),
            **blocks,
            head=head(channels, self.features, self.classes, nn.ReLU),
        )


def _block(gene: int, inputs: int, outputs: int, stride: int) -> nn.Module:
    if gene == 0:
        return conv_bn(inputs, outputs, 1, stride) if stride != 1 or inputs != outputs else nn.Identity()
    kernel, expansion = {1: (3, 3), 2: (5, 6)}[gene]
    return InvertedResidual(inputs, outputs, kernel=kernel, expansion=expansion, stride=stride, activation=nn.ReLU)
