"""Synthesis: an accelerator in its boundary becomes cells of the ECP5."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from flows.implement.ecp5.boundary import BOUNDARY_MODULE, INSTANCE, boundary_verilog
from flows.implement.ecp5.fan_out import split_fan_out
from flows.implement.ecp5.lut_products import Product, booth_products, lut_products
from flows.implement.ecp5.memories import absorb_output_registers
from flows.implement.ecp5.multipliers import absorb_registers
from flows.implement.ecp5.sign_extension import move_to_upper_bits
from flows.implement.ecp5.standstill import lanes_always_work
from flows.implement.netlist import Netlist, yosys_netlist
from flows.tools import Watch
from hwgen.config import AcceleratorConfig
from hwgen.verilog import emit

WIRE_DELAY_PS = 1000
"""From cell to cell, for ABC: about what placed wires take. By Yosys's own 300, all logic beside block RAM would have
time for more tables one after the other than there is."""
SHALLOW = "+&scorr;&sweep;&dc2;&st;&synch2;&if,{W},{D},{R};&mfs"
"""Yosys's script for ABC, but restructured by ``&synch2``, which spends tables on fewer of them one after the other."""


def synthesise(config: AcceleratorConfig, multipliers: int, watch: Watch) -> Netlist:
    """Map the accelerator in its boundary to LUTs, flip-flops, at most ``multipliers`` multipliers, and memories.

    Raises InputError where the multipliers are too few, ImplementationError where Yosys fails.
    """
    in_luts = lut_products(config, multipliers)
    started = time.monotonic()
    verilog = emit(config)
    sources = {"accelerator.v": verilog, "boundary.v": boundary_verilog(config)}
    design = map_to_cells(sources, BOUNDARY_MODULE, in_luts, watch)
    return Netlist(verilog, design, f"{INSTANCE}.", time.monotonic() - started)


def map_to_cells(sources: Mapping[str, str], top: str, in_luts: Sequence[Product], watch: Watch) -> dict[str, Any]:
    """Yosys's JSON of module ``top``, flat, of Verilog ``sources`` by file name, ``in_luts`` of its products LUTs.

    Raises ImplementationError.
    """
    synthesis = f"synth_lattice -family ecp5 -top {top}"
    commands = [
        *booth_products(in_luts, top),
        f"{synthesis} -run begin:map_luts",
        f"abc9 -W {WIRE_DELAY_PS} -script {SHALLOW}",
        "clean",
        f"{synthesis} -json netlist.json -run map_cells:",
    ]
    enabled = {name: lanes_always_work(verilog) for name, verilog in sources.items()}
    design = yosys_netlist(enabled, top, commands, watch)
    module = design["modules"][top]
    for improved in (move_to_upper_bits, absorb_registers, absorb_output_registers, split_fan_out):
        module = module | {"cells": improved(module)}
    return design | {"modules": {top: module}}
