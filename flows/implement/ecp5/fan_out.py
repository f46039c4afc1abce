"""Fan-out: a cell that very many others read is copied, and each copy is read by some of them.

The router joins a reader to whatever part of its net is routed nearby, so that of hundreds of readers most are reached
by way of others, four to five times as late as by a way of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count, pairwise
from typing import Any

from flows.implement.ecp5.cells import Cell, readers_of

MOST_READERS = 256
"""Of a copy."""
OUTPUTS = {"LUT4": "Z", "TRELLIS_FF": "Q"}
"""Of the types of cells that are copied."""
CLOCKS = frozenset({"CLK", "CLK0", "WCK", "CLKA", "CLKB"})
"""Ports that the clock network reaches."""


def split_fan_out(module: Mapping[str, Any], most_readers: int = MOST_READERS) -> dict[str, Cell]:
    """The cells of ``module`` with look-up tables and registers copied that more than ``most_readers`` cells read.

    What a copy reads has a reader more, and may itself have to be copied. Clocks and outputs of the module stay whole.
    """
    cells: dict[str, Cell] = dict(module["cells"])
    readers = readers_of(module)
    drivers = {
        wire: name
        for name, cell in cells.items()
        if cell["type"] in OUTPUTS
        for wire in cell["connections"][OUTPUTS[cell["type"]]]
    }
    # A wire may have no reader, or only a name left.
    wires = [wire for cell in cells.values() for at in cell["connections"].values() for wire in at]
    wires += [wire for net in module["netnames"].values() for wire in net["bits"]]
    unused = count(1 + max(wire for wire in wires if isinstance(wire, int)))
    crowded = list(drivers)
    while crowded:
        wire = crowded.pop()
        all_readers = readers[wire]
        if len(all_readers) <= most_readers or any(not name or port in CLOCKS for name, port in all_readers):
            continue
        driver = cells[drivers[wire]]
        readers[wire], *others = _neighbours(all_readers, most_readers)
        for number, group in enumerate(others, 1):
            name, copied_wire = f"{drivers[wire]}${number}", next(unused)
            cells[name] = _reconnected(driver, wire, copied_wire, OUTPUTS[driver["type"]])
            for reader, port in group:
                cells[reader] = _reconnected(cells[reader], wire, copied_wire, port)
            readers[copied_wire] = group
            for port, (source,) in driver["connections"].items():
                if driver["port_directions"][port] != "output":
                    readers[source].append((name, port))
                    if source in drivers:
                        crowded.append(source)
    return cells


def _neighbours(readers: list[tuple[str, str]], most: int) -> list[list[tuple[str, str]]]:
    """Groups of about equal size, of at most ``most``, whose names are alike: those will lie near each other."""
    ordered = sorted(readers, key=lambda reader: _natural(reader[0]))
    groups = -(-len(readers) // most)
    bounds = [len(readers) * group // groups for group in range(groups + 1)]
    return [ordered[low:high] for low, high in pairwise(bounds)]


def _natural(name: str) -> list[str | int]:
    """Sorts numbers in names by their values."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def _reconnected(cell: Cell, wire: int, other: int, port: str) -> Cell:
    """The cell with ``other`` at ``port`` wherever ``wire`` was."""
    wires = [other if at == wire else at for at in cell["connections"][port]]
    return cell | {"connections": cell["connections"] | {port: wires}}
