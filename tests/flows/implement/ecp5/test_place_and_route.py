"""Place and route: what nextpnr's report means, and one small accelerator whole, as users run it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import flows.implement.ecp5.place_and_route
import flows.implement.ecp5.placement
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
from flows.implement.ecp5.placement import Placement
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
    result = read_report(report_of(path), b"", Placement(Path(), "heap", 1, 40.0), seconds=2.0)
    assert (result.fmax_mhz, result.lut, result.bram) == (250.0, Resource(40, 100), Resource(10, 100))
    assert result.critical_path == CriticalPath(
        "compute_engine.drain.x", "compute_engine.drain.lane_0.product", delay_ns=4.0, routing_ns=2.75
    )


Fails = Callable[[str, int], ImplementationError | None]
"""What becomes of a placer and a seed."""
TWO = {("static", 7): 70.0, ("static", 8): 64.5}
"""Placements by placer and seed, and nextpnr's estimates of them."""


def never(_placer: str, _seed: int) -> None:
    return None


def placed_and_routed(
    monkeypatch: pytest.MonkeyPatch,
    estimates: Mapping[tuple[str, int], float],
    placing: Fails = never,
    routing: Fails = never,
) -> tuple[Implementation, list[tuple[str, int]]]:
    """With seed 7, where nextpnr has these ``estimates``; and of what placer and seed placements were routed."""
    tried: list[tuple[str, int]] = []

    def run_placer(arguments: Sequence[str], directory: Path, watch: Watch) -> None:
        placer, seed = arguments[arguments.index("--placer") + 1], int(arguments[arguments.index("--seed") + 1])
        if error := placing(placer, seed):
            raise error
        watch("Info: Max frequency for clock 'clk': 12.00 MHz (FAIL at 125.00 MHz)")
        watch(f"Info: Max frequency for clock 'clk': {estimates[placer, seed]:.2f} MHz (FAIL at 125.00 MHz)")
        (directory / "placed.json").write_text(json.dumps([placer, seed]))

    def run_router(arguments: Sequence[str], directory: Path, watch: Watch, patience_seconds: float) -> None:
        placer, seed = json.loads((directory / arguments[arguments.index("--json") + 1]).read_text())
        tried.append((placer, seed))
        if error := routing(placer, seed):
            raise error
        (directory / "report.json").write_text(json.dumps(report_of([step("setup", 4.0, "x", "y")])))

    def run_ecppack(arguments: Sequence[str], directory: Path, watch: Watch) -> None:
        (directory / "chip.bit").write_bytes(b"bits")

    monkeypatch.setattr(flows.implement.ecp5.placement, "run_nextpnr", run_placer)
    monkeypatch.setattr(flows.implement.ecp5.place_and_route, "run_nextpnr", run_router)
    monkeypatch.setattr(flows.implement.ecp5.place_and_route, "run_ecppack", run_ecppack)
    nothing = Netlist("", {"modules": {"boundary": {"cells": {}, "netnames": {}}}}, "", 0.0)
    result = place_and_route(nothing, DEVICES["ecp5-25k"], 6, 7, lambda _: None, placements=len(estimates))
    return result, tried


def test_the_placement_that_promises_the_fastest_clock_is_routed(monkeypatch: pytest.MonkeyPatch) -> None:
    estimates = {("static", 7): 70.0, ("static", 8): 90.25, ("static", 9): 64.5}
    result, tried = placed_and_routed(monkeypatch, estimates)
    assert (result.placer, result.seed, result.bitstream) == ("static", 8, b"bits")
    assert tried == [("static", 8)]


def test_where_a_placement_cannot_be_routed_the_next_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_placer: str, seed: int) -> ImplementationError | None:
        return SilentToolError("silence") if seed == 7 else None

    result, tried = placed_and_routed(monkeypatch, TWO, routing=silent)
    assert (result.seed, tried) == (8, [("static", 7), ("static", 8)])


def test_where_no_placement_can_be_routed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImplementationError, match="any of 2 placements"):
        placed_and_routed(monkeypatch, TWO, routing=lambda *_: SilentToolError("silence"))


def test_a_placement_that_fails_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def illegal(_placer: str, seed: int) -> ImplementationError | None:
        return ImplementationError("no legal site") if seed == 7 else None

    result, tried = placed_and_routed(monkeypatch, TWO, placing=illegal)
    assert (result.seed, tried) == (8, [("static", 8)])


def test_where_a_placer_fails_by_every_seed_the_other_places(monkeypatch: pytest.MonkeyPatch) -> None:
    def illegal(placer: str, _seed: int) -> ImplementationError | None:
        return ImplementationError("no legal site") if placer == "static" else None

    result, tried = placed_and_routed(monkeypatch, {("heap", 7): 64.5, ("heap", 8): 70.0}, placing=illegal)
    assert (result.placer, tried) == ("heap", [("heap", 8)])


def test_where_every_placer_fails_the_first_one_s_error_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImplementationError, match="no legal site of static"):
        placed_and_routed(
            monkeypatch,
            TWO,
            placing=lambda placer, _: ImplementationError(f"no legal site of {placer}"),
        )


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
