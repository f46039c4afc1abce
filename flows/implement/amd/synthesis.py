"""Synthesis: an accelerator becomes cells of AMD's devices, which other tools would place."""

from __future__ import annotations

import time
from typing import Any

from flows.implement.amd.devices import Device
from flows.implement.netlist import Netlist, yosys_netlist
from flows.tools import Watch
from hwgen.config import AcceleratorConfig
from hwgen.verilog import TOP_MODULE, emit


def synthesise(config: AcceleratorConfig, device: Device, watch: Watch) -> Netlist:
    """Map the accelerator to LUTs, flip-flops, DSP48s and memories of ``device``'s family. Raises ImplementationError.

    It stands alone: its ports are no pins, and have no buffers.
    """
    started = time.monotonic()
    verilog = emit(config)
    design = synthesise_verilog(verilog, TOP_MODULE, device.family, watch)
    return Netlist(verilog, design, "", time.monotonic() - started)


def synthesise_verilog(verilog: str, top: str, family: str, watch: Watch) -> dict[str, Any]:
    """Yosys's JSON of module ``top``, flat, in cells of ``family``. Raises ImplementationError."""
    synthesis = (
        f"synth_xilinx -family {family} -top {top} -flatten -noiopad -noclkbuf",
        "autoname",  # after the Verilog's registers and wires, so that components can be told apart
        "write_json netlist.json",
    )
    return yosys_netlist({"design.v": verilog}, top, synthesis, watch)
