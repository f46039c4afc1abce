"""Place and route by nextpnr, and what its report says."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.implement.ecp5.boundary import INSTANCE, PINS
from flows.implement.ecp5.devices import PACKAGE, Device, refuse_oversized
from flows.implement.ecp5.floorplan import lay_out_array
from flows.implement.ecp5.tools import run_ecppack, run_nextpnr
from flows.implement.netlist import Netlist
from flows.tools import ImplementationError, SilentToolError, Watch

TARGET_MHZ = 125
"""What placement and routing aim for. They stop improving paths that reach it."""
PLACERS = (("--placer", "static"), ("--placer", "static"), ("--placer-heap-beta", "0.5"))
"""Of the placements that are tried, each by the next seed, until one can be routed.

The first one's wires are 14 to 28 % shorter, but now and then some have no way. The last one spreads cells out, so that
wires are free to go straight.
"""
PATIENCE_SECONDS = 600
"""Without a word from nextpnr, which then looks all over the chip for a way for some last wires, and has not found it
in half an hour either. Where it gets on, it says so every few seconds, or minutes on a busy machine."""
CELL_TYPE = re.compile("_(TRELLIS_|LUT4|CCU2C|PFUMX|L6MUX21|MULT18X18D|DP16KD).*")


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


@dataclass(frozen=True, eq=False)
class Implementation:
    """A placed and routed accelerator."""

    fmax_mhz: float
    critical_path: CriticalPath
    lut: Resource
    ff: Resource
    dsp: Resource
    """18x18 multipliers."""
    bram: Resource
    """Memories of 18 Kbit."""
    bitstream: bytes
    """What configures the chip: the accelerator in its boundary."""
    seed: int
    """Of the placement that was routed."""
    seconds: float
    """Attempts that could not be routed included."""


def place_and_route(
    netlist: Netlist, device: Device, speed_grade: int, seed: int, watch: Watch, pins: str = PINS
) -> Implementation:
    """Place and route ``netlist``, whose ports lie where ``pins`` says, in Lattice's preference format.

    Where the router gets nowhere, the next seed places anew. Raises InputError where the netlist does not fit
    ``device``, ImplementationError.
    """
    refuse_oversized(device, netlist.cells)
    started = time.monotonic()
    ((top, module),) = netlist.design["modules"].items()
    laid_out = module | {"cells": lay_out_array(module, device.sites)}
    design = {**netlist.design, "modules": {top: laid_out}}
    part = (device.nextpnr, "--package", PACKAGE, "--speed", str(speed_grade))
    for attempt, placer in enumerate(PLACERS, seed):
        try:
            report, bitstream = _attempt(design, (*part, *placer), attempt, watch, pins)
        except SilentToolError:
            watch(f"no way to route the placement of seed {attempt}")
        else:
            return read_report(report, bitstream, attempt, time.monotonic() - started)
    raise ImplementationError(f"nextpnr found no way to route what it placed by the seeds {seed} to {attempt}")


def _attempt(
    design: Mapping[str, Any], options: Sequence[str], seed: int, watch: Watch, pins: str
) -> tuple[dict[str, Any], bytes]:
    """What nextpnr's report says, and the bitstream. Raises SilentToolError, ImplementationError."""
    # Of an 8x8 ``router2`` still overused some wires after a hundred iterations, and led others round these until the
    # slowest path was 18.5 ns; ``router1`` was done sooner, at 11.3 ns.
    effort = ("--freq", str(TARGET_MHZ), "--seed", str(seed), "--router", "router1")
    permitted = ("--timing-allow-fail", "--lpf-allow-unconstrained")
    files = ("--json", "netlist.json", "--lpf", "pins.lpf", "--report", "report.json", "--textcfg", "chip.config")
    with tempfile.TemporaryDirectory(prefix="cosynth-") as name:
        directory = Path(name)
        (directory / "netlist.json").write_text(json.dumps(design), encoding="utf-8")
        (directory / "pins.lpf").write_text(pins, encoding="utf-8")
        run_nextpnr([*options, *effort, *permitted, *files], directory, watch, PATIENCE_SECONDS)
        run_ecppack(["--compress", "chip.config", "chip.bit"], directory, watch)
        report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
        return report, (directory / "chip.bit").read_bytes()


def read_report(report: Mapping[str, Any], bitstream: bytes, seed: int, seconds: float) -> Implementation:
    """An implementation by what nextpnr's ``--report`` says of it."""
    (clock,) = report["fmax"].values()
    (slowest,) = (path["path"] for path in report["critical_paths"] if path["from"] == path["to"])
    resources = {kind: Resource(**counts) for kind, counts in report["utilization"].items()}
    return Implementation(
        fmax_mhz=clock["achieved"],
        critical_path=_critical_path(slowest),
        lut=resources["TRELLIS_COMB"],
        ff=resources["TRELLIS_FF"],
        dsp=resources["MULT18X18D"],
        bram=resources["DP16KD"],
        bitstream=bitstream,
        seed=seed,
        seconds=seconds,
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
    return CELL_TYPE.sub("", cell).removeprefix(f"{INSTANCE}.")
