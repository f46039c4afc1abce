"""The devices, what a synthesised accelerator takes of one, and whether it fits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flows.implement.capacity import refuse_excess
from hwgen.errors import InputError


@dataclass(frozen=True)
class Device:
    """A device by the numbers that Vivado's utilisation reports call available (DS180, DS190 and DS891 of AMD)."""

    name: str
    part: str
    """Vivado's name of it in a package and speed grade that is common on boards."""
    family: str
    """Yosys's name of its family."""
    lut: int
    """Six-input LUTs, each with two flip-flops."""
    lut_memory: int
    """Those of them that can be memories or shift registers."""
    dsp: int
    """DSP48s."""
    bram: int
    """Memories of 36 Kbit, each of which can be two of 18 Kbit."""


DEVICES = {
    device.name: device
    for device in (
        Device("xc7a35t", "xc7a35tcpg236-1", "xc7", lut=20_800, lut_memory=9_600, dsp=90, bram=50),
        Device("xc7a100t", "xc7a100tcsg324-1", "xc7", lut=63_400, lut_memory=19_000, dsp=240, bram=135),
        Device("xc7z020", "xc7z020clg400-1", "xc7", lut=53_200, lut_memory=17_400, dsp=220, bram=140),
        Device("xc7k325t", "xc7k325tffg900-2", "xc7", lut=203_800, lut_memory=64_000, dsp=840, bram=445),
        Device("xczu3eg", "xczu3eg-sbva484-1-e", "xcup", lut=70_560, lut_memory=28_800, dsp=360, bram=216),
        Device("xczu7ev", "xczu7ev-ffvc1156-2-e", "xcup", lut=230_400, lut_memory=101_760, dsp=1_728, bram=312),
    )
}


def find_device(name: str) -> Device:
    """The device of that name. Raises InputError where there is none."""
    if name not in DEVICES:
        raise InputError(f"device: {name!r} is not supported; accepted: {', '.join(DEVICES)}")
    return DEVICES[name]


LOGIC = {f"LUT{inputs}": 1 for inputs in range(1, 7)} | {"INV": 1}
"""LUTs in a cell of logic. An inverter becomes a LUT, or the carry's that it stands before."""
MEMORIES = {
    "RAM32X1S": 1,
    "RAM64X1S": 1,
    "RAM128X1S": 2,
    "RAM256X1S": 4,
    "RAM512X1S": 8,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1D": 4,
    "RAM256X1D": 8,
    "RAM32M": 4,
    "RAM64M": 4,
    "RAM32M16": 8,
    "RAM64M8": 8,
    "RAM32X16DR8": 8,
    "RAM64X8SW": 8,
}
"""LUTs in a cell of distributed RAM (UG953, UG974)."""
SHIFT_REGISTERS = {"SRL16E": 1, "SRLC32E": 1}
"""LUTs in a shift register."""
FLIP_FLOPS = ("FDRE", "FDSE", "FDCE", "FDPE")
DSPS = ("DSP48E1", "DSP48E2")
MEMORIES_18K, MEMORIES_36K = ("RAMB18E1", "RAMB18E2"), ("RAMB36E1", "RAMB36E2")
BESIDE_LUTS = ("CARRY4", "CARRY8", "MUXF7", "MUXF8", "MUXF9", "VCC", "GND")
"""Come with the LUTs, or cost nothing."""


@dataclass(frozen=True)
class Resources:
    """What cells take of a device; LUTs one for each cell, before a packer lets two share one."""

    lut: int
    """All of them: of logic, distributed RAM and shift registers."""
    ff: int
    dsp: int
    ramb36: int
    ramb18: int
    distributed_ram: int
    """LUTs that are memories."""
    shift_register: int
    """LUTs that are shift registers."""


def resources(cells: Counter[str]) -> Resources:
    """What ``cells`` by type take of any device."""
    memory, shift_register = _luts(MEMORIES, cells), _luts(SHIFT_REGISTERS, cells)
    return Resources(
        lut=_luts(LOGIC, cells) + memory + shift_register,
        ff=sum(cells[kind] for kind in FLIP_FLOPS),
        dsp=sum(cells[kind] for kind in DSPS),
        ramb36=sum(cells[kind] for kind in MEMORIES_36K),
        ramb18=sum(cells[kind] for kind in MEMORIES_18K),
        distributed_ram=memory,
        shift_register=shift_register,
    )


def _luts(each: dict[str, int], cells: Counter[str]) -> int:
    return sum(luts * cells[kind] for kind, luts in each.items())


def utilisation(used: Resources, device: Device) -> dict[str, tuple[int, int]]:
    """(used, available) of everything that ``device`` can run out of."""
    return {
        "LUTs": (used.lut, device.lut),
        "LUTs as memory": (used.distributed_ram + used.shift_register, device.lut_memory),
        "flip-flops": (used.ff, 2 * device.lut),
        "DSP48s": (used.dsp, device.dsp),
        "18 Kbit memories": (2 * used.ramb36 + used.ramb18, 2 * device.bram),
    }


def refuse_oversized(device: Device, used: Resources) -> None:
    """InputError where ``used`` is more than ``device`` has; it says of what, by how much, and what has room."""
    family = [other for other in DEVICES.values() if other.family == device.family]
    roomy = [
        other.name for other in family if all(count <= limit for count, limit in utilisation(used, other).values())
    ]
    refuse_excess(device.name, utilisation(used, device), roomy)
