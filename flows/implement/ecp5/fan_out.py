"""Fan-out: a cell that very many others read is copied, and each copy is read by some of them.

The router joins a reader to whatever part of its net is routed nearby, so that of hundreds of readers most are reached
by way of others, four to five times as late as by a way of their own. So that a copy's readers lie near each other,
those that lead to multipliers of the same array column are put together, and of others those with like names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count, pairwise
from math import inf
from statistics import fmean
from typing import Any

from flows.implement.ecp5.cells import Cell, Readers, readers_of
from flows.implement.ecp5.floorplan import array_multipliers

MOST_READERS = 48
"""Of a copy."""
OUTPUTS = {"LUT4": "Z", "TRELLIS_FF": "Q"}
"""Of the types of cells that are copied."""
LEADING = frozenset({*OUTPUTS, "PFUMX", "L6MUX21", "TRELLIS_DPR16X4"})
"""Types of cells on the way to a multiplier."""
STEPS = 4
"""From a cell to a multiplier that it leads to, at most."""
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
    columns = _columns(module, readers)
    crowded = list(drivers)
    while crowded:
        wire = crowded.pop()
        all_readers = readers[wire]
        if len(all_readers) <= most_readers or any(not name or port in CLOCKS for name, port in all_readers):
            continue
        driver = cells[drivers[wire]]
        readers[wire], *others = _neighbours(all_readers, columns, most_readers)
        for group in others:
            copied_wire = next(unused)
            name = f"{drivers[wire]}${copied_wire}"  # crowded again, a cell is copied again: no two by one name
            cells[name] = _reconnected(driver, wire, copied_wire, OUTPUTS[driver["type"]])
            for reader, port in group:
                cells[reader] = _reconnected(cells[reader], wire, copied_wire, port)
            readers[copied_wire] = group
            if drivers[wire] in columns:
                columns[name] = fmean(columns.get(reader, columns[drivers[wire]]) for reader, _ in group)
            for port, (source,) in driver["connections"].items():
                if driver["port_directions"][port] != "output":
                    readers[source].append((name, port))
                    if source in drivers:
                        crowded.append(source)
    return cells


def _columns(module: Mapping[str, Any], readers: Readers) -> dict[str, float]:
    """Of the cells that lead to the array's multipliers in a few steps: the nearest ones' column, on average."""
    columns = {name: float(col) for (col, _), name in array_multipliers(module).items()}
    for _ in range(STEPS):
        before = {}
        for name, cell in module["cells"].items():
            if name not in columns and cell["type"] in LEADING:
                outputs = [at for port, at in cell["connections"].items() if cell["port_directions"][port] == "output"]
                met = {reader for wires in outputs for wire in wires for reader, _ in readers[wire]} & columns.keys()
                if met:
                    before[name] = fmean(columns[reader] for reader in sorted(met))
        columns |= before
    return columns


def _neighbours(readers: list[tuple[str, str]], columns: Mapping[str, float], most: int) -> list[list[tuple[str, str]]]:
    """Groups of about equal size, of at most ``most``, that will lie near each other."""
    ordered = sorted(readers, key=lambda reader: (columns.get(reader[0], inf), _natural(reader[0])))
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
