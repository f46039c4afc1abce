"""The devices, and whether a synthesised accelerator fits one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flows.implement.capacity import refuse_excess
from hwgen.errors import InputError

PACKAGE = "CABGA381"
"""One that every device comes in; only four of its pins are used."""


@dataclass(frozen=True)
class Device:
    """A size of ECP5, by what Project Trellis counts in it."""

    name: str
    nextpnr: str
    """nextpnr's option for it."""
    lut: int
    """Four-input LUTs, each with a flip-flop."""
    dsp: int
    """18x18 multipliers."""
    bram: int
    """Memories of 18 Kbit."""

    @property
    def share_metric(self) -> str:
        """The metric that says how much of the device an accelerator takes."""
        return f"share_of_{self.name.replace('-', '_')}"


DEVICES = {
    device.name: device
    for device in (
        Device("ecp5-25k", "--25k", lut=24_288, dsp=28, bram=56),
        Device("ecp5-45k", "--45k", lut=43_848, dsp=72, bram=108),
        Device("ecp5-85k", "--85k", lut=83_640, dsp=156, bram=208),
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
