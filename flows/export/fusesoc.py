"""The accelerator as a core of FuseSoC, in its CAPI2 format."""

from __future__ import annotations

from importlib.metadata import version

from flows.implement.amd.devices import Device as AmdDevice
from flows.implement.ecp5.boundary import BOUNDARY_MODULE
from flows.implement.ecp5.devices import PACKAGE
from flows.implement.ecp5.devices import Device as Ecp5Device
from hwgen.verilog import TOP_MODULE


def core_file(description: str, amd: AmdDevice, ecp5: Ecp5Device) -> str:
    """The core file of an exported accelerator, beside its Verilog; targets name devices to begin with."""
    return f"""\
CAPI=2:
name: cosynth:ip:accelerator:{version("cosynth")}
description: "{description}"

filesets:
  rtl:
    files: [{TOP_MODULE}.v]
    file_type: verilogSource
  waivers:
    files: [waivers.vlt]
    file_type: vlt
  vivado:
    files:
      - vivado/clock.xdc: {{file_type: xdc}}
      - vivado/out_of_context.tcl: {{file_type: tclSource}}
  ecp5:
    files:
      - ecp5/boundary.v: {{file_type: verilogSource}}
      - ecp5/pins.lpf: {{file_type: LPF}}

targets:
  default:
    filesets: [rtl]
    toplevel: {TOP_MODULE}

  lint:
    filesets: [waivers, rtl]
    toplevel: {TOP_MODULE}
    flow: lint
    flow_options: {{tool: verilator}}

  # Synthesis alone: the accelerator's ports are no pins.
  vivado:
    filesets: [rtl, vivado]
    toplevel: {TOP_MODULE}
    flow: vivado
    flow_options: {{part: {amd.part}, pnr: none}}

  # To a bitstream, the ports in registers behind four pins.
  ecp5:
    filesets: [rtl, ecp5]
    toplevel: {BOUNDARY_MODULE}
    flow: trellis
    flow_options:
      nextpnr_options: [{ecp5.nextpnr}, --package, {PACKAGE}, --lpf-allow-unconstrained]
"""
