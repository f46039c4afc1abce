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
from flows.implement.ecp5.placement import NETLIST_FILE, PINS_FILE, PLACED_FILE, PLACEMENTS, Placement, place
from flows.implement.ecp5.tools import run_ecppack, run_nextpnr
from flows.implement.netlist import Netlist
from flows.tools import ImplementationError, SilentToolError, Watch

TARGET_MHZ = 125
"""What placement and routing aim for. They stop improving paths that reach it."""
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
    placer: str
    seed: int
    """That made the placement that was routed."""
    seconds: float
    """Placements that were not, or could not be routed included."""


def place_and_route(
    netlist: Netlist,
    device: Device,
    speed_grade: int,
    seed: int,
    watch: Watch,
    pins: str = PINS,
    placements: int = PLACEMENTS,
) -> Implementation:
    """Place and route ``netlist``, whose ports lie where ``pins`` says, in Lattice's preference format.

    Of so many ``placements``, the first by ``seed``, that is routed which promises the fastest clock; where the router
    gets nowhere, the next. Raises InputError where the netlist does not fit ``device``, ImplementationError.
    """
    refuse_oversized(device, netlist.cells)
    started = time.monotonic()
    ((top, module),) = netlist.design["modules"].items()
    laid_out = module | {"cells": lay_out_array(module, device.sites)}
    design = {**netlist.design, "modules": {top: laid_out}}
    part = (device.nextpnr, "--package", PACKAGE, "--speed", str(speed_grade))
    options = (*part, "--freq", str(TARGET_MHZ), "--timing-allow-fail", "--lpf-allow-unconstrained")
    with tempfile.TemporaryDirectory(prefix="cosynth-") as name:
        directory = Path(name)
        (directory / NETLIST_FILE).write_text(json.dumps(design), encoding="utf-8")
        (directory / PINS_FILE).write_text(pins, encoding="utf-8")
        for placement in place(directory, placements, options, seed, watch):
            try:
                report, bitstream = _route(placement, options, watch)
            except SilentToolError:
                watch(f"no way to route the placement by {placement.placer}, seed {placement.seed}")
            else:
                return read_report(report, bitstream, placement, time.monotonic() - started)
    raise ImplementationError(f"nextpnr found no way to route any of {placements} placements; accepted: more of them")


def _route(placement: Placement, options: Sequence[str], watch: Watch) -> tuple[dict[str, Any], bytes]:
    """What nextpnr's report says, and the bitstream. Raises SilentToolError, ImplementationError."""
    # Of an 8x8 ``router2`` still overused some wires after a hundred iterations, and led others round these until the
    # slowest path was 18.5 ns; ``router1`` was done sooner, at 11.3 ns.
    placed = ("--json", PLACED_FILE, "--lpf", PINS_FILE, "--no-pack", "--no-place", "--seed", str(placement.seed))
    found = ("--router", "router1", "--report", "report.json", "--textcfg", "chip.config")
    run_nextpnr([*options, *placed, *found], placement.directory, watch, PATIENCE_SECONDS)
    run_ecppack(["--compress", "chip.config", "chip.bit"], placement.directory, watch)
    report = json.loads((placement.directory / "report.json").read_text(encoding="utf-8"))
    return report, (placement.directory / "chip.bit").read_bytes()


def read_report(report: Mapping[str, Any], bitstream: bytes, placement: Placement, seconds: float) -> Implementation:
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
        placer=placement.placer,
        seed=placement.seed,
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
