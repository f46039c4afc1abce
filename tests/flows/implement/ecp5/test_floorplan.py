"""The floorplan: array columns side by side on sites that the device has, the weight buffer beside them."""

from __future__ import annotations

import json
import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.implement.ecp5.cells import Cell
from flows.implement.ecp5.devices import DEVICES, PACKAGE, Device
from flows.implement.ecp5.floorplan import lay_out_array
from flows.implement.ecp5.tools import run_nextpnr

BEL = re.compile(r"X(\d+)/Y(\d+)/(.+)")
MULTIPLIER, MEMORY = "MULT18X18D", "DP16KD"


def cell(kind: str, output: str, wire: int) -> Cell:
    return {"type": kind, "parameters": {}, "port_directions": {output: "output"}, "connections": {output: [wire]}}


def array(rows: int, cols: int, memories: int, in_luts: frozenset[tuple[int, int]] = frozenset()) -> dict[str, Any]:
    """A module with the array's products, those ``in_luts`` not by multipliers, one multiplier beside, and memories."""
    wires, cells, netnames = count(2), {}, {}
    for col in range(cols):
        for row in range(rows):
            wire = next(wires)
            kind = "LUT4" if (col, row) in in_luts else MULTIPLIER
            cells[f"array.dot_products.${col * rows + row}"] = cell(kind, "P0", wire)
            netnames[f"array.dot_products.product_{col}_{row}"] = {"bits": [wire]}
    cells["drain.product"] = cell(MULTIPLIER, "P0", next(wires))
    for wide in range(memories):
        cells[f"engine.weight_buffer.ram.words.0.{wide}"] = cell(MEMORY, "DOA0", next(wires))
    cells["act_buffer.ram.words.0.0"] = cell(MEMORY, "DOA0", next(wires))
    return {"cells": cells, "netnames": netnames}


def sites(cells: dict[str, Cell]) -> dict[str, tuple[int, int, str]]:
    """Column, row and name of where each cell is put that is put anywhere."""
    found = {}
    for name, each in cells.items():
        if "BEL" in each.get("attributes", {}):
            place = BEL.fullmatch(each["attributes"]["BEL"])
            assert place is not None
            found[name] = (int(place[1]), int(place[2]), place[3])
    return found


def of_device(device: Device, kind: str) -> set[tuple[int, int, str]]:
    rows, columns = (
        (device.sites.multiplier_rows, device.sites.multipliers)
        if kind == MULTIPLIER
        else (device.sites.memory_rows, device.sites.memories)
    )
    return {(x, y, name) for y in rows for x, name in columns}


@given(
    st.sampled_from(list(DEVICES.values())),
    st.integers(2, 16),
    st.integers(2, 16),
    st.integers(1, 60),
    st.floats(0, 1),
    st.randoms(use_true_random=False),
)
@example(DEVICES["ecp5-85k"], 8, 8, 15, 0.0, None)
def test_each_cell_has_a_site_of_its_own_that_the_device_has(
    device: Device, rows: int, cols: int, memories: int, share: float, random: Any
) -> None:
    places = [(col, row) for col in range(cols) for row in range(rows)]
    in_luts = frozenset(random.sample(places, int(share * len(places)))) if random else frozenset()
    module = array(rows, cols, memories, in_luts)
    cells = lay_out_array(module, device.sites)
    assert {name: each | {"attributes": {}} for name, each in cells.items()} == {
        name: each | {"attributes": {}} for name, each in module["cells"].items()
    }
    put = sites(cells)
    assert len(set(put.values())) == len(put)
    for name, site in put.items():
        assert site in of_device(device, cells[name]["type"])
        assert "dot_products" in name or "weight_buffer" in name


def test_beside_an_array_too_narrow_for_memories_they_are_left_to_the_placer() -> None:
    """One product by a multiplier, the others by LUTs: on some device no column of memories lies along it."""
    places = frozenset((col, row) for col in range(2) for row in range(2))
    laid_out = [
        sites(lay_out_array(array(2, 2, 1, places - {alone}), device.sites))
        for device in DEVICES.values()
        for alone in places
    ]
    assert not all(any("weight_buffer" in name for name in put) for put in laid_out)


def test_an_array_column_is_one_block_and_columns_stand_in_order() -> None:
    put = sites(lay_out_array(array(8, 8, 15), DEVICES["ecp5-85k"].sites))
    blocks = [[put[f"array.dot_products.${col * 8 + row}"] for row in range(8)] for col in range(8)]
    for block in blocks:
        # four multipliers of two rows of the chip, the middle ones
        assert [y for _, y, _ in block] == [34] * 4 + [58] * 4
        assert max(x for x, _, _ in block) - min(x for x, _, _ in block) <= 11
    lefts = [min(x for x, _, _ in block) for block in blocks]
    assert lefts == sorted(lefts)
    memories = [put[f"engine.weight_buffer.ram.words.0.{wide}"] for wide in range(15)]
    assert {y for _, y, _ in memories} == {46}
    assert memories == sorted(memories)
    assert memories[0][0] - lefts[0] < 9


def test_products_in_luts_leave_their_places_free() -> None:
    """12x12 has more products than the device multipliers beside the others'."""
    device = DEVICES["ecp5-85k"]
    in_luts = frozenset((col, 11) for col in range(12))
    put = sites(lay_out_array(array(12, 12, 36, in_luts), device.sites))
    assert sum("dot_products" in name for name in put) == 132
    assert len(of_device(device, MULTIPLIER)) - 132 == 24


@pytest.mark.parametrize(("rows", "cols"), [(16, 16), (2, 60)])
def test_an_array_without_room_is_left_to_the_placer(rows: int, cols: int) -> None:
    assert sites(lay_out_array(array(rows, cols, 4), DEVICES["ecp5-85k"].sites)) == {}


def test_a_module_without_an_array_stays_as_it_is() -> None:
    module = {"cells": {"x": cell("LUT4", "Z", 2)}, "netnames": {"x": {"bits": [2]}}}
    assert lay_out_array(module, DEVICES["ecp5-25k"].sites) == module["cells"]


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_nextpnr_knows_the_sites(device: Device, tmp_path: Path) -> None:
    """A design that takes every multiplier and every memory, each put somewhere, can be placed."""
    outputs = {MULTIPLIER: "P0", MEMORY: "DOA0"}
    places = [(kind, site) for kind in outputs for site in sorted(of_device(device, kind))]
    cells = {}
    for wire, (kind, (x, y, name)) in enumerate(places, 2):
        attributes = {"BEL": f"X{x}/Y{y}/{name}", "keep": "1"}
        cells[f"cell{wire}"] = cell(kind, outputs[kind], wire) | {"attributes": attributes, "hide_name": 0}
    top = {"attributes": {"top": "1"}, "ports": {}, "cells": cells, "netnames": {}}
    (tmp_path / "netlist.json").write_text(json.dumps({"creator": "test", "modules": {"top": top}}))
    part = (device.nextpnr, "--package", PACKAGE)
    run_nextpnr([*part, "--json", "netlist.json", "--no-route"], tmp_path, lambda line: None, patience_seconds=600)
    assert len(cells) == device.dsp + device.bram
