"""Where the array lies on the chip: nextpnr left to itself spreads its multipliers over the whole of it.

The chip has its multipliers and its block memories in rows from side to side. The multipliers of an array column, whose
products are added, are put side by side, and columns one after another; the rows of an array column are dealt to as
many rows of the chip as make the array about square. The weight buffer's memories lie near them in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from flows.implement.ecp5.cells import Cell
from flows.implement.ecp5.devices import MULTIPLIERS, Sites

PRODUCT = re.compile(r"\.dot_products\.product_(?P<col>\d+)_(?P<row>\d+)$")
WEIGHTS = re.compile(r"\.weight_buffer\.ram\.words\.(?P<deep>\d+)\.(?P<wide>\d+)$")
TILES_PER_MULTIPLIER, TILES_PER_ROW = 9 / len(MULTIPLIERS), 24
"""From a multiplier to the next, and from a row of them to the next."""
MEMORY_ROWS = 2
"""That the weight buffer is put into at most: memories further away are as well put anywhere."""


def lay_out_array(module: Mapping[str, Any], sites: Sites) -> dict[str, Cell]:
    """The cells of ``module``, with sites for the array's multipliers and the weight buffer's memories.

    Where a row of the chip has no room for a row of the array, all stay for the placer.
    """
    cells: dict[str, Cell] = dict(module["cells"])
    products = array_multipliers(module)
    if not products:
        return cells
    rows, cols = (1 + max(place[axis] for place in products) for axis in (1, 0))
    row_sites = sites.multipliers
    outlines = [
        (cols * ceil(rows / bands) * TILES_PER_MULTIPLIER + bands * TILES_PER_ROW, bands)
        for bands in range(1, 1 + len(sites.multiplier_rows))
        if cols * ceil(rows / bands) <= len(row_sites)
    ]
    if not outlines:
        return cells
    bands = min(outlines)[1]
    taken = _middle(sites.multiplier_rows, bands, sites.height / 2)
    per_band = ceil(rows / bands)
    first = (len(row_sites) - cols * per_band) // 2
    for (col, row), name in products.items():
        x, bel = row_sites[first + col * per_band + row % per_band]
        cells[name] = _at(cells[name], x, taken[row // per_band], bel)
    width = (row_sites[first][0], row_sites[first + cols * per_band - 1][0])
    return cells | _memories(cells, sites, width, sum(taken) / bands)


def array_multipliers(module: Mapping[str, Any]) -> dict[tuple[int, int], str]:
    """The multipliers of the array, by column and row; products that are LUTs are none."""
    drivers = {
        wire: name
        for name, cell in module["cells"].items()
        if cell["type"] == "MULT18X18D"
        for port, wires in cell["connections"].items()
        if cell["port_directions"][port] == "output"
        for wire in wires
    }
    found = {}
    for name, net in module["netnames"].items():
        place = PRODUCT.search(name)
        if place is not None and net["bits"][0] in drivers:
            found[int(place["col"]), int(place["row"])] = drivers[net["bits"][0]]
    return found


def _memories(cells: Mapping[str, Cell], sites: Sites, width: tuple[int, int], middle: float) -> dict[str, Cell]:
    """The weight buffer's memories, along the array's ``width``, near its ``middle``, if there is room."""
    places = {name: WEIGHTS.search(name) for name, cell in cells.items() if cell["type"] == "DP16KD"}
    order = sorted((int(at["wide"]), int(at["deep"]), name) for name, at in places.items() if at is not None)
    near = [site for site in sites.memories if width[0] <= site[0] <= width[1]]
    if not near:
        return {}
    rows = sorted(sites.memory_rows, key=lambda row: abs(row - middle))[: ceil(len(order) / len(near))]
    if len(rows) > MEMORY_ROWS or len(order) > len(rows) * len(near):
        return {}
    room = [(x, row, bel) for x, bel in near for row in rows]
    spread = (room[(2 * number + 1) * len(room) // (2 * len(order))] for number in range(len(order)))
    return {name: _at(cells[name], *site) for (_, _, name), site in zip(order, spread, strict=True)}


def _middle(rows: Sequence[int], count: int, middle: float) -> Sequence[int]:
    """``count`` of ``rows``, one after another, nearest to the chip's ``middle``."""
    runs = [rows[start : start + count] for start in range(len(rows) - count + 1)]
    return min(runs, key=lambda run: abs(sum(run) / count - middle))


def _at(cell: Cell, x: int, y: int, bel: str) -> Cell:
    return cell | {"attributes": cell.get("attributes", {}) | {"BEL": f"X{x}/Y{y}/{bel}"}}
