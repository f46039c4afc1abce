"""Registers behind block RAM become the block RAM's own, which Yosys does not do: it maps memories alone.

What is read then leaves the memory early in a cycle, not late, and the chip is left with as many flip-flops fewer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.implement.ecp5.cells import Cell, Readers, readers_of
from flows.implement.ecp5.registers import agree, timing

OUTPUTS = tuple(f"DO{side}{bit}" for side in "AB" for bit in range(18))
REGISTERED = {"REGMODE_A": "OUTREG", "REGMODE_B": "OUTREG"}


def absorb_output_registers(module: Mapping[str, Any]) -> dict[str, Cell]:
    """The cells of ``module`` with registers taken into each DP16KD of which nothing else reads anything.

    They must have its read port's clock, no enable and no reset; what is otherwise stays as it is.
    """
    cells: dict[str, Cell] = dict(module["cells"])
    readers = readers_of(module)
    for name, cell in module["cells"].items():
        if cell["type"] == "DP16KD":
            names = _read_by(cell, readers)
            registers = {bit: cells[register] for bit, register in names.items()}
            if agree(registers.values()) and timing(next(iter(registers.values()))) == (
                cell["connections"]["CLKB"][0],
                "1",
            ):
                outputs = {bit: register["connections"]["Q"] for bit, register in registers.items()}
                enables = {"OCEA": ["1"], "OCEB": ["1"]}
                cells[name] = cell | {
                    "parameters": cell["parameters"] | REGISTERED,
                    "connections": cell["connections"] | outputs | enables,
                }
                for register in names.values():
                    del cells[register]
    return cells


def _read_by(memory: Cell, readers: Readers) -> dict[str, str]:
    """The cell whose data each output is, of those that anything reads; none where one has several readers."""
    names = {}
    for bit in OUTPUTS:
        for wire in memory["connections"].get(bit, []):
            match readers.get(wire, []):
                case []:
                    pass
                case [(name, "DI")]:
                    names[bit] = name
                case _:
                    return {}
    return names
