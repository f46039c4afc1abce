"""The NAS-Bench-201 space: one cell repeated in three stages (Dong and Yang, ICLR 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from nas.spaces import cell
from nas.spaces.base import Genotype, Space
from nas.spaces.blocks import conv_bn, named, relu_conv_bn


@dataclass(frozen=True)
class NasBench201(Space):
    """Architectures are the benchmark's strings; ``channels`` per stage and ``cells`` per stage set the size."""

    channels: tuple[int, int, int] = (16, 32, 64)
    cells: int = 5

    name = "nasbench201"

    @property
    def choices(self) -> tuple[int, ...]:
        return (len(cell.OPERATIONS),) * len(cell.EDGES)

    def spell(self, genotype: Sequence[int]) -> str:
        return cell.spell([cell.OPERATIONS[gene] for gene in genotype])

    def encode(self, architecture: str) -> Genotype:
        return cell.genotype(cell.parse(architecture))

    def canonical(self, architecture: str) -> str:
        return cell.canonical(architecture)

    def covering(self) -> tuple[str, ...]:
        return tuple(self.spell([gene] * len(cell.EDGES)) for gene in range(1, len(cell.OPERATIONS)))

    def executed(self, choices: Tensor) -> Tensor:
        return cell.executed(choices.view(-1, len(cell.EDGES), len(cell.OPERATIONS))).flatten(start_dim=1)

    def build(self, architecture: str) -> nn.Module:
        self.canonical(architecture)
        operations = cell.parse(architecture)
        modules: dict[str, nn.Module] = {"stem": conv_bn(self.image.channels, self.channels[0], 3)}
        previous = self.channels[0]
        for stage, channels in enumerate(self.channels):
            if stage > 0:
                modules[f"reduction{stage}"] = Reduction(previous, channels)
            for number in range(self.cells):
                modules[f"stage{stage}_cell{number}"] = Cell(operations, channels)
            previous = channels
        return named(
            **modules,
            norm=nn.BatchNorm2d(previous),
            relu=nn.ReLU(),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=nn.Linear(previous, self.classes),
        )


@dataclass(frozen=True)
class TinyNasBench201(NasBench201):
    """The same cells, one a stage and half as wide: networks that a CPU trains in minutes, and no table has."""

    channels: tuple[int, int, int] = (8, 16, 32)
    cells: int = 1

    name = "nasbench201-tiny"


class Cell(nn.Module):
    """A cell on ``channels`` channels; operations on a constant zero are left out."""

    def __init__(self, operations: Sequence[str], channels: int) -> None:
        super().__init__()
        self.edges: list[tuple[str, int, int]] = []
        reached = {0}
        for operation, (source, target) in zip(operations, cell.EDGES, strict=True):
            if operation == "none" or source not in reached:
                continue
            reached.add(target)
            key = f"{source}to{target}_{operation}"
            self.add_module(key, _operation(operation, channels))
            self.edges.append((key, source, target))

    def forward(self, x: Tensor) -> Tensor:
        nodes = {0: x}
        for key, source, target in self.edges:
            value = self.get_submodule(key)(nodes[source])
            nodes[target] = nodes[target] + value if target in nodes else value
        return nodes[3]


class Reduction(nn.Module):
    """The residual block of stride 2 between two stages."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = relu_conv_bn(inputs, outputs, 3, stride=2)
        self.second = relu_conv_bn(outputs, outputs, 3)
        self.shortcut = named(pool=nn.AvgPool2d(2), conv=nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self.first(x)) + self.shortcut(x)
        return y


def _operation(operation: str, channels: int) -> nn.Module:
    match operation:
        case "skip_connect":
            return nn.Identity()
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        case "nor_conv_1x1":
            return relu_conv_bn(channels, channels, 1)
        case _:
            return relu_conv_bn(channels, channels, 3)
