"""The mbconv space: MobileNetV2-like networks with searched kernels, expansions, depths and widths.

As in ProxylessNAS (Cai et al., ICLR 2019) and DANCE (Choi et al., DAC 2021). An architecture names its stages, joined
by ``+``; a stage names its width and then its blocks, joined by ``-``: ``w16-k3e3-k5e6+w24-k7e3``. ``k5e6`` is an
MBConv block with a 5x5 depthwise kernel and expansion 6; ``skip`` is no block, and may stand anywhere but first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from torch import nn

from nas.spaces.base import ArchitectureError, Genotype, Space
from nas.spaces.blocks import InvertedResidual, conv_bn_act, head, named

KERNELS = (3, 5, 7)
EXPANSIONS = (3, 6)
BLOCKS = tuple(f"k{kernel}e{expansion}" for kernel, expansion in product(KERNELS, EXPANSIONS))
SKIP = "skip"


@dataclass(frozen=True)
class Stage:
    """A stage's accepted output channels, the stride of its first block, and its greatest number of blocks."""

    widths: tuple[int, ...]
    stride: int
    depth: int


@dataclass(frozen=True)
class MbConv(Space):
    """3x3 stem of ``stem`` channels, the stages, 1x1 convolution to ``features``; ReLU6 throughout.

    A stage's genes are its width, its first block (one of six) and its further blocks (one of six, or skip).
    """

    stem: int
    stem_stride: int
    features: int
    stages: tuple[Stage, ...]

    name = "mbconv"

    @property
    def choices(self) -> tuple[int, ...]:
        return tuple(
            count
            for stage in self.stages
            for count in (len(stage.widths), len(BLOCKS), *(len(BLOCKS) + 1,) * (stage.depth - 1))
        )

    def spell(self, genotype: Sequence[int]) -> str:
        genes = iter(genotype)
        stages = []
        for stage in self.stages:
            width = stage.widths[next(genes)]
            blocks = [(*BLOCKS, SKIP)[next(genes)] for _ in range(stage.depth)]
            stages.append("-".join([f"w{width}", *blocks]))
        return "+".join(stages)

    def encode(self, architecture: str) -> Genotype:
        genes: list[int] = []
        for stage, (width, blocks) in zip(self.stages, self._parse(architecture), strict=True):
            padded = [*blocks, *[SKIP] * (stage.depth - len(blocks))]
            genes += [stage.widths.index(width), *((*BLOCKS, SKIP).index(block) for block in padded)]
        return tuple(genes)

    def canonical(self, architecture: str) -> str:
        """Skips are left out."""
        stages = self._parse(architecture)
        return "+".join("-".join([f"w{width}", *(b for b in blocks if b != SKIP)]) for width, blocks in stages)

    def covering(self) -> tuple[str, ...]:
        widest = [max(stage.widths) for stage in self.stages]
        return tuple(
            "+".join("-".join([f"w{width}", *[block] * s.depth]) for width, s in zip(widest, self.stages, strict=True))
            for block in BLOCKS
        )

    def build(self, architecture: str) -> nn.Module:
        modules: dict[str, nn.Module] = {}
        channels = self.stem
        for number, (stage, (width, blocks)) in enumerate(zip(self.stages, self._parse(architecture), strict=True)):
            for position, block in enumerate(blocks):
                if block == SKIP:
                    continue
                stride = stage.stride if position == 0 else 1
                modules[f"stage{number}_block{position}_{block}"] = _block(block, channels, width, stride)
                channels = width
        return named(
            stem=conv_bn_act(self.image.channels, self.stem, 3, nn.ReLU6, self.stem_stride),
            **modules,
            head=head(channels, self.features, self.classes, nn.ReLU6),
        )

    def _parse(self, architecture: str) -> list[tuple[int, list[str]]]:
        """Each stage's width and blocks."""
        spelled = architecture.split("+")
        if len(spelled) != len(self.stages):
            raise ArchitectureError(
                f"architecture: {architecture!r} has {len(spelled)} stages; accepted: {len(self.stages)}, joined by +"
            )
        return [
            _parse_stage(text, number, stage)
            for number, (text, stage) in enumerate(zip(spelled, self.stages, strict=True))
        ]


def _parse_stage(text: str, number: int, stage: Stage) -> tuple[int, list[str]]:
    width, *blocks = text.split("-")
    if width not in {f"w{accepted}" for accepted in stage.widths}:
        accepted = ", ".join(f"w{value}" for value in stage.widths)
        raise ArchitectureError(f"architecture: stage {number} has width {width!r}; accepted: {accepted}")
    if not 1 <= len(blocks) <= stage.depth:
        raise ArchitectureError(f"architecture: stage {number} has {len(blocks)} blocks; accepted: 1 to {stage.depth}")
    for position, block in enumerate(blocks):
        accepted_blocks = BLOCKS if position == 0 else (*BLOCKS, SKIP)
        if block not in accepted_blocks:
            raise ArchitectureError(
                f"architecture: block {position} of stage {number} is {block!r}; accepted: {', '.join(accepted_blocks)}"
            )
    return int(width[1:]), blocks


def _block(block: str, inputs: int, outputs: int, stride: int) -> nn.Module:
    match = re.fullmatch(r"k(\d)e(\d)", block)
    assert match is not None
    kernel, expansion = (int(number) for number in match.groups())
    return InvertedResidual(inputs, outputs, kernel=kernel, expansion=expansion, stride=stride, activation=nn.ReLU6)
