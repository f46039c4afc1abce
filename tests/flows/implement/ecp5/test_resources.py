"""Multipliers and block memories by configuration: those of the synthesised accelerator."""

from __future__ import annotations

import re

import pytest

from flows.implement.ecp5.devices import DEVICES
from flows.implement.ecp5.lut_products import multipliers_beside
from flows.implement.ecp5.memory_mapping import block_mapping
from flows.implement.ecp5.resources import block_memories, multipliers
from flows.implement.ecp5.synthesis import synthesise
from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.rtl.ram import RAM_MODULE, RamShape
from hwgen.verilog import emit
from tests.sim.accelerators import ACCELERATORS


def test_multipliers_are_used_as_far_as_there_are() -> None:
    config = AcceleratorConfig(rows=8, cols=8)
    assert multipliers(config, 156) == multipliers_beside(config) + 64
    assert multipliers(config, 72) == 72


def test_every_block_memory_of_the_verilog_is_counted() -> None:
    config = ACCELERATORS["uneven"]
    instances = re.findall(rf"{RAM_MODULE} #\((.*?)\) ram ", emit(config), re.DOTALL)
    sizes = [dict(re.findall(r"\.(\w+)\(32'd(\d+)\)", instance)) for instance in instances]
    shapes = [RamShape(int(size["WIDTH"]), int(size["DEPTH"]), int(size["GRANULE"])) for size in sizes]
    assert block_memories(config) == sum(block_mapping(shape).cells for shape in shapes) > 0


@pytest.mark.parametrize("dataflow", Dataflow)
def test_synthesis_is_told_where_register_files_and_partial_sums_lie(dataflow: Dataflow) -> None:
    verilog = emit(AcceleratorConfig(dataflow=dataflow))
    declared = re.findall(r"(.*)\n  reg \[\d+:0\] (?:entries|memory) \[", verilog)
    assert declared and set(declared) == {'  (* ram_style = "distributed" *)'}


@pytest.mark.slow
@pytest.mark.parametrize("dataflow", Dataflow)
def test_deep_ones_that_registers_stand_behind_are_no_block_memories(dataflow: Dataflow) -> None:
    """As many lanes as columns put a register right behind the partial sums."""
    config = AcceleratorConfig(
        rows=2, cols=2, dataflow=dataflow, rf_depth=64, act_buffer_kib=8, weight_buffer_kib=2, requant_lanes=2
    )
    netlist = synthesise(config, DEVICES["ecp5-85k"].dsp, watch=lambda _: None)
    assert netlist.cells["DP16KD"] == block_memories(config)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "in_luts"), [("narrow", 5), ("uneven", 0), ("tall", 0)])
def test_synthesis_yields_as_many(name: str, in_luts: int) -> None:
    """One accelerator of each dataflow, none of whose sizes are alike."""
    config = ACCELERATORS[name]
    limit = multipliers(config, DEVICES["ecp5-85k"].dsp) - in_luts
    cells = synthesise(config, limit, watch=lambda _: None).cells
    assert (cells["MULT18X18D"], cells["DP16KD"]) == (multipliers(config, limit), block_memories(config))
