"""``cosynth implement``: what it writes and prints, and what it refuses. The tools themselves: the tests beside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import flows.implement.ecp5.job
import flows.tools
from flows.cli import app
from flows.errors import exit_code
from flows.implement.ecp5.devices import Device
from flows.implement.ecp5.place_and_route import CriticalPath, Implementation, Resource
from flows.implement.netlist import Netlist
from hwgen.config import AcceleratorConfig
from hwgen.verilog import emit

CELLS = {
    "accelerator": "$scopeinfo",
    "accelerator.drain": "$scopeinfo",
    "accelerator.drain.x_MULT18X18D_P9": "MULT18X18D",
}


def run(*arguments: object) -> int:
    return exit_code(lambda: app(["implement", *map(str, arguments)], standalone_mode=False))


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for synthesis and place and route: a chip of one multiplier at 50 MHz."""

    def synthesise(config: AcceleratorConfig, multipliers: int, watch: Callable[[str], None]) -> Netlist:
        watch("[1/2] a step")
        cells = {name: {"type": kind} for name, kind in CELLS.items()}
        return Netlist(emit(config), {"modules": {"boundary": {"cells": cells}}}, "accelerator.", 1.0)

    def place_and_route(
        netlist: Netlist, device: Device, grade: int, seed: int, watch: object, placements: int
    ) -> Implementation:
        assert placements == 3
        path = CriticalPath("drain.x", "drain.y", delay_ns=20.0, routing_ns=15.0)
        cells = (Resource(500, 1000), Resource(300, 1000), Resource(4, 10), Resource(2, 10))
        return Implementation(50.0, path, *cells, bitstream=b"bits", placer="heap", seed=seed, seconds=2.0)

    monkeypatch.setattr(flows.implement.ecp5.job, "synthesise", synthesise)
    monkeypatch.setattr(flows.implement.ecp5.job, "place_and_route", place_and_route)


def test_it_leaves_verilog_bitstream_and_report(
    tools: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "chip"
    assert (
        run("--set", "rows=4", "--set", "cols=4", "--multipliers", 40, "--seed", 7, "--placements", 3, "-o", output)
        == 0
    )
    assert sorted(path.name for path in output.iterdir()) == ["accelerator.bit", "accelerator.v", "implementation.json"]
    assert (output / "accelerator.bit").read_bytes() == b"bits"
    assert "module cosynth_accelerator(" in (output / "accelerator.v").read_text()
    report = json.loads((output / "implementation.json").read_text())
    assert (report["device"], report["speed_grade"], report["seed"]) == ("ecp5-85k", 6, 7)
    assert report["accelerator"]["rows"] == 4
    # 4 lanes of requantisation take 16, 4 of additions 8 and addresses 3, which leaves 13 for the array of 16
    assert report["products_in_luts"] == 3
    assert report["components"] == {"drain": {"lut": 0, "ff": 0, "dsp": 1, "bram": 0, "distributed_ram": 0}}
    # 16 multiply-accumulates per cycle at 50 MHz, on 4 multipliers of the device and 500 LUTs
    assert report["peak_gmac_per_s"] == pytest.approx(0.8)
    assert report["peak_gmac_per_s_per_dsp"] == pytest.approx(0.2)
    assert report["peak_gmac_per_s_per_klut"] == pytest.approx(1.6)
    printed = capsys.readouterr().out
    for said in ("50.0 MHz", "drain.x to drain.y: 20.0 ns, 15.0 ns of it routing", "40%"):
        assert said in printed


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (("--device", "virtex"), "device: 'virtex' is not supported; accepted: ecp5-25k, ecp5-45k, ecp5-85k"),
        (("--speed-grade", "9"), "--speed-grade"),
        (
            ("--multipliers", "26"),
            "multipliers: 26 are too few for requantisation, additions and addresses",
        ),
        (("--set", "rows=99"), "rows: "),
    ],
)
def test_bad_input_is_refused_before_any_tool_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], naming: str
) -> None:
    assert run(*arguments, "-o", tmp_path / "chip") == 2
    assert naming in capsys.readouterr().err
    assert not (tmp_path / "chip").exists()


def test_an_occupied_output_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("mine")
    assert run("-o", tmp_path) == 2
    assert "output: " in capsys.readouterr().err


def test_a_missing_tool_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(flows.tools, "find_spec", lambda name: None)
    small = [word for value in ("rows=2", "cols=2", "rf_depth=1", "requant_lanes=1") for word in ("--set", value)]
    assert run(*small, "-o", tmp_path / "chip") == 1
    assert "pyosys is not installed; run `pip install 'cosynth[implement]'`" in capsys.readouterr().err
    assert not (tmp_path / "chip").exists()
