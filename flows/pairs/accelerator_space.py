"""The searched accelerators: values of each field per data set, and how the nearest legal configuration is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import log2

from hwgen.config import KIB, AcceleratorConfig, Dataflow


@dataclass(frozen=True)
class AcceleratorSpace:
    """Every combination of these values; a combination that is illegal stands for the nearest legal one."""

    rows: tuple[int, ...]
    cols: tuple[int, ...]
    dataflow: tuple[Dataflow, ...]
    rf_depth: tuple[int, ...]
    act_buffer_kib: tuple[int, ...]
    weight_buffer_kib: tuple[int, ...]
    bus_bits: tuple[int, ...]
    requant_lanes: tuple[int, ...]

    @property
    def gene_sizes(self) -> tuple[int, ...]:
        """Number of choices of each field, in field order."""
        return tuple(len(choices) for choices in vars(self).values())

    @property
    def ordered_genes(self) -> tuple[bool, ...]:
        """Per field, whether its choices are sizes in ascending order."""
        return tuple(name != "dataflow" for name in vars(self))

    def decode(self, genes: Sequence[int]) -> AcceleratorConfig:
        """The configuration that ``genes`` (one index per field) stand for."""
        values = {name: choices[gene] for (name, choices), gene in zip(vars(self).items(), genes, strict=True)}
        rows, cols = values["rows"], values["cols"]
        values["requant_lanes"] = min(values["requant_lanes"], cols)
        values["weight_buffer_kib"] = max(values["weight_buffer_kib"], -(-16 * rows * cols // KIB))
        return AcceleratorConfig(param_channels=max(128, 2 * cols), **values)


ACCELERATOR_SPACES = {
    "digits": AcceleratorSpace(
        rows=(2, 4, 8),
        cols=(2, 4, 8),
        dataflow=tuple(Dataflow),
        rf_depth=(4, 8, 16),
        act_buffer_kib=(4, 8, 16, 32),
        weight_buffer_kib=(2, 4, 8, 16, 32),
        bus_bits=(32, 64, 128),
        requant_lanes=(1, 2, 4, 8),
    ),
    "cifar10": AcceleratorSpace(
        rows=(4, 8, 16),
        cols=(4, 8, 16),
        dataflow=tuple(Dataflow),
        rf_depth=(8, 16, 32, 64),
        act_buffer_kib=(16, 32, 64, 128, 256),
        weight_buffer_kib=(8, 16, 32, 64, 128, 256),
        bus_bits=(32, 64, 128),
        requant_lanes=(1, 2, 4, 8, 16),
    ),
}
"""What a search on each data set chooses from: networks for larger images are worth larger accelerators."""


def distance(one: AcceleratorConfig, other: AcceleratorConfig) -> float:
    """How unlike two accelerators are: the sum over the searched sizes of the ratio's absolute log2.

    Another dataflow counts as much as a size twice as large.
    """
    sizes = [f.name for f in fields(AcceleratorSpace) if f.name != "dataflow"]
    ratios = sum(abs(log2(getattr(one, size) / getattr(other, size))) for size in sizes)
    return ratios + (one.dataflow is not other.dataflow)
