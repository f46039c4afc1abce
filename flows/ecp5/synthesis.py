"""Synthesis: an accelerator in its boundary becomes cells of the ECP5."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from flows.ecp5.boundary import BOUNDARY_MODULE, INSTANCE, boundary_verilog
from flows.ecp5.multipliers import absorb_product_registers
from flows.netlist import Netlist, yosys_netlist
from flows.tools import Watch
from hwgen.config import AcceleratorConfig
from hwgen.verilog import emit


def synthesise(config: AcceleratorConfig, watch: Watch) -> Netlist:
    """Map the accelerator in its boundary to LUTs, flip-flops, multipliers and memories. Raises ImplementationError."""
    started = time.monotonic()
    verilog = emit(config)
    sources = {"accelerator.v": verilog, "boundary.v": boundary_verilog(config)}
    design = map_to_cells(sources, BOUNDARY_MODULE, watch)
    return Netlist(verilog, design, f"{INSTANCE}.", time.monotonic() - started)


def map_to_cells(sources: Mapping[str, str], top: str, watch: Watch) -> dict[str, Any]:
    """Yosys's JSON of module ``top``, flat, of Verilog ``sources`` by file name. Raises ImplementationError."""
    design = yosys_netlist(sources, top, [f"synth_lattice -family ecp5 -top {top} -json netlist.json"], watch)
    module = design["modules"][top]
    return design | {"modules": {top: module | {"cells": absorb_product_registers(module)}}}
