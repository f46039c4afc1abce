"""The devices, and whether a synthesised accelerator fits one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flows.implement.capacity import refuse_excess
from hwgen.errors import InputError

PACKAGE = "CABGA381"
"""One that every device comes in; only four of its pins are used."""


Site = tuple[int, str]
"""A column of tiles, and the name that nextpnr has for what lies there."""
MULTIPLIERS = ((0, "MULT18_0"), (1, "MULT18_1"), (4, "MULT18_4"), (5, "MULT18_5"))
MEMORIES = ((0, "EBR0"), (2, "EBR1"), (4, "EBR2"), (6, "EBR3"))
"""Of a group of tiles in a row of multipliers, or of memories."""


@dataclass(frozen=True)
class Sites:
    """Where multipliers and memories lie, in tiles: as nextpnr places a design that takes all of them."""

    groups: Sequence[int]
    """The first column of each group of a row."""
    multiplier_rows: Sequence[int]
    memory_rows: Sequence[int]
    height: int

    @property
    def multipliers(self) -> list[Site]:
        """Those of a row, from left to right."""
        return [(group + column, name) for group in self.groups for column, name in MULTIPLIERS]

    @property
    def memories(self) -> list[Site]:
        """Those of a row, from left to right."""
        return [(group + column, name) for group in self.groups for column, name in MEMORIES]


@dataclass(frozen=True)
class Device:
    """A size of ECP5, by what Project Trellis counts in it."""

    name: str
    nextpnr: str
    """nextpnr's option for it."""
    lut: int
    """Four-input LUTs, each with a flip-flop."""
    sites: Sites

    @property
    def dsp(self) -> int:
        """18x18 multipliers."""
        return len(self.sites.multiplier_rows) * len(self.sites.multipliers)

    @property
    def bram(self) -> int:
        """Memories of 18 Kbit."""
        return len(self.sites.memory_rows) * len(self.sites.memories)

    @property
    def share_metric(self) -> str:
        """The metric that says how much of the device an accelerator takes."""
        return f"share_of_{self.name.replace('-', '_')}"


DEVICES = {
    device.name: device
    for device in (
        Device("ecp5-25k", "--25k", 24_288, Sites((4, 13, 22, 33, 42, 51, 60), (13,), (25, 37), height=50)),
        Device(
            "ecp5-45k",
            "--45k",
            43_848,
            Sites((4, 13, 22, 31, 42, 51, 60, 69, 78), (22, 46), (10, 34, 58), height=71),
        ),
        Device(
            "ecp5-85k",
            "--85k",
            83_640,
            Sites((4, 13, 22, 31, 40, 49, 58, 69, 78, 87, 96, 105, 114), (10, 34, 58), (22, 46, 70, 82), height=95),
        ),
    )
}


def find_device(name: str) -> Device:
    """The device of that name. Raises InputError where there is none."""
    if name not in DEVICES:
        raise InputError(f"device: {name!r} is not supported; accepted: {', '.join(DEVICES)}")
    return DEVICES[name]


LUTS_OF = {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6}
"""LUTs in a cell: a distributed RAM of 16 words of 4 bits is four, and its write port takes the place of two more."""


def refuse_oversized(device: Device, cells: Counter[str]) -> None:
    """InputError where ``cells`` by type are more than ``device`` has; it says of what, and by how much."""
    wanted = {
        "LUTs": (sum(count * cells[kind] for kind, count in LUTS_OF.items()), device.lut),
        "flip-flops": (cells["TRELLIS_FF"], device.lut),
        "18x18 multipliers": (cells["MULT18X18D"], device.dsp),
        "18 Kbit memories": (cells["DP16KD"], device.bram),
    }
    refuse_excess(device.name, wanted, [other.name for other in DEVICES.values() if other.lut > device.lut])
