"""Netlists: which component a cell belongs to."""

from __future__ import annotations

from collections import Counter

from flows.implement.netlist import Netlist

INSTANCES = ("accelerator", "accelerator.drain", "accelerator.drain.lane_0", "accelerator.compute_engine")
PARTS = ("accelerator.compute_engine.array", "accelerator.compute_engine.array.rows")
CELLS = {
    "accelerator.drain.lane_0.product_TRELLIS_FF_Q_12": "TRELLIS_FF",
    "accelerator.drain.place.bank_TRELLIS_FF_Q": "TRELLIS_FF",
    "accelerator.compute_engine.array.rows.row_3_TRELLIS_FF_Q_7": "TRELLIS_FF",
    "accelerator.compute_engine.array.$7_MULT18X18D_P9": "MULT18X18D",
    "accelerator.compute_engine.step.offset_TRELLIS_FF_Q": "TRELLIS_FF",
    "accelerator.drained_LUT4_Z": "LUT4",
    "signature_TRELLIS_FF_Q_1": "TRELLIS_FF",
}


def netlist(module: str, within: str, cells: dict[str, str]) -> Netlist:
    design = {"modules": {module: {"cells": {name: {"type": kind} for name, kind in cells.items()}}}}
    return Netlist("", design, within, 0.0)


def test_cells_are_counted_by_component_and_by_part_of_the_compute_engine() -> None:
    """By instances alone: a register whose name has fields is no component."""
    implemented = netlist("boundary", "accelerator.", dict.fromkeys((*INSTANCES, *PARTS), "$scopeinfo") | CELLS)
    assert implemented.components() == {
        "accelerator": Counter(LUT4=1),
        "boundary": Counter(TRELLIS_FF=1),
        "compute_engine": Counter(TRELLIS_FF=1),
        "compute_engine.array": Counter(TRELLIS_FF=1, MULT18X18D=1),
        "drain": Counter(TRELLIS_FF=2),
    }
    assert implemented.cells == Counter(TRELLIS_FF=5, MULT18X18D=1, LUT4=1)


def test_an_accelerator_without_a_boundary_has_the_same_components() -> None:
    cells = {"drain": "$scopeinfo", "drain.lane_0.product_FDRE_Q": "FDRE", "drained_LUT4_O": "LUT4"}
    assert netlist("cosynth_accelerator", "", cells).components() == {
        "accelerator": Counter(LUT4=1),
        "drain": Counter(FDRE=1),
    }
