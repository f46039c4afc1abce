"""Place and route: what nextpnr's report means, and one small accelerator whole, as users run it."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import pytest

import flows.implement.ecp5.place_and_route
from flows.cli import app
from flows.errors import exit_code
from flows.implement.ecp5.devices import DEVICES
from flows.implement.ecp5.place_and_route import (
    CriticalPath,
    Implementation,
    Resource,
    place_and_route,
    read_report,
)
from flows.implement.netlist import Netlist
from flows.tools import ImplementationError, SilentToolError, Watch


def step(kind: str, delay: float, start: str, end: str) -> dict[str, Any]:
    return {"type": kind, "delay": delay, "from": {"cell": start}, "to": {"cell": end}}


def report_of(path: list[dict[str, Any]]) -> dict[str, Any]:
    """nextpnr's report of a chip at 250 MHz, whose slowest path is ``path``."""
    asynchronous = [step("clk-to-q", 9.0, "x", "x")]
    return {
        "fmax": {"clk": {"achieved": 250.0, "constraint": 100.0}},
        "critical_paths": [
            {"from": "posedge clk", "to": "posedge clk", "path": path},
            {"from": "posedge clk", "to": "<async>", "path": asynchronous},
        ],
        "utilization": {
            kind: {"used": used, "available": 100}
            for kind, used in {"TRELLIS_COMB": 40, "TRELLIS_FF": 30, "MULT18X18D": 20, "DP16KD": 10}.items()
        },
    }


def test_a_report_names_the_registers_at_the_ends_of_the_critical_path() -> None:
    launch, adder = "accelerator.compute_engine.drain.x_TRELLIS_FF_Q_3", "sum_CCU2C_S0"
    capture = "accelerator.compute_engine.drain.lane_0.product_TRELLIS_FF_Q_12"
    path = [
        step("clk-to-q", 0.5, launch, launch),
        step("routing", 1.25, launch, adder),
        step("logic", 0.75, adder, adder),
        step("routing", 1.5, adder, capture),
        step("setup", 0.0, capture, capture),
    ]
    result = read_report(report_of(path), b"", seed=1, seconds=2.0)
    assert (result.fmax_mhz, result.lut, result.bram) == (250.0, Resource(40, 100), Resource(10, 100))
    assert result.critical_path == CriticalPath(
        "compute_engine.drain.x", "compute_engine.drain.lane_0.product", delay_ns=4.0, routing_ns=2.75
    )


def routed_with(monkeypatch: pytest.MonkeyPatch, silent: Container[int], seed: int) -> tuple[Implementation, list[str]]:
    """Place and route where nextpnr falls silent for the seeds ``silent``; and all that was said."""

    def run_nextpnr(arguments: Sequence[str], directory: Path, watch: Watch, patience_seconds: float) -> None:
        attempt = int(arguments[arguments.index("--seed") + 1])
        watch("static" if "static" in arguments else "heap")
        if attempt in silent:
            raise SilentToolError("silence")
        (directory / "report.json").write_text(json.dumps(report_of([step("setup", 4.0, "x", "y")])))

    def run_ecppack(arguments: Sequence[str], directory: Path, watch: Watch) -> None:
        (directory / "chip.bit").write_bytes(b"bits")

    monkeypatch.setattr(flows.implement.ecp5.place_and_route, "run_nextpnr", run_nextpnr)
    monkeypatch.setattr(flows.implement.ecp5.place_and_route, "run_ecppack", run_ecppack)
    said: list[str] = []
    nothing = Netlist("", {"modules": {"boundary": {"cells": {}, "netnames": {}}}}, "", 0.0)
    return place_and_route(nothing, DEVICES["ecp5-25k"], 6, seed, said.append), said


def test_a_placement_that_cannot_be_routed_is_made_anew_by_the_next_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    result, said = routed_with(monkeypatch, silent={7}, seed=7)
    assert (result.seed, result.bitstream) == (8, b"bits")
    assert said == ["static", "no way to route the placement of seed 7", "static"]


def test_the_last_placement_spreads_cells_out(monkeypatch: pytest.MonkeyPatch) -> None:
    result, said = routed_with(monkeypatch, silent={7, 8}, seed=7)
    assert (result.seed, said[-1]) == (9, "heap")


def test_what_no_seed_routes_names_the_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImplementationError, match="by the seeds 4 to 6"):
        routed_with(monkeypatch, silent={4, 5, 6}, seed=4)


@pytest.mark.slow
def test_a_small_accelerator_becomes_a_bitstream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its multipliers are the device's, and so are the memories of its buffers."""
    output = tmp_path / "chip"
    small = ("rows=2", "cols=2", "rf_depth=2", "act_buffer_kib=4", "weight_buffer_kib=1", "requant_lanes=1")
    overrides = [word for value in small for word in ("--set", value)]
    assert (
        exit_code(
            lambda: app(["implement", *overrides, "--device", "ecp5-45k", "-o", str(output)], standalone_mode=False)
        )
        == 0
    )
    report = json.loads((output / "implementation.json").read_text())
    assert report["fmax_mhz"] > 40
    assert f"{report['fmax_mhz']:.1f} MHz" in capsys.readouterr().out
    assert report["components"]["compute_engine.array"]["dsp"] == 4
    assert report["components"]["act_buffer"]["bram"] == 32
    for kind, resource in report["resources"].items():
        assert 0 < resource["used"] <= resource["available"], kind
    assert (output / "accelerator.bit").read_bytes().startswith(b"\xff\x00")
