"""The ULX3S: the pins that its constraint file names, Verilog that fits the board's logic, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import flows.board.implementation
import flows.board.ulx3s
from flows.board.ulx3s import ulx3s_pins, ulx3s_verilog
from flows.cli import app
from flows.errors import exit_code
from flows.implement.ecp5.place_and_route import CriticalPath, Implementation, Resource
from flows.implement.netlist import Netlist
from hwgen.board.config import BoardConfig
from hwgen.board.verilog import emit_board
from hwgen.config import AcceleratorConfig
from sim.lint import lint

SMALL = [word for value in ("rows=2", "cols=2", "rf_depth=1", "requant_lanes=1") for word in ("--set", value)]


def implement(*arguments: object) -> int:
    return exit_code(lambda: app(["implement", *SMALL, *map(str, arguments)], standalone_mode=False))


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Stand-ins for synthesis and place and route, which reaches the clock that the test asks for."""

    def synthesise_board(config: BoardConfig, multipliers: int, watch: object) -> Netlist:
        cells = {"board.accelerator.x": {"type": "MULT18X18D"}, "board.memory.y": {"type": "DP16KD"}}
        return Netlist("verilog", {"modules": {"ulx3s": {"cells": cells}}}, "board.accelerator.", 1.0)

    def place_and_route(*arguments: object) -> Implementation:
        assert ulx3s_pins() in arguments
        path = CriticalPath("x", "y", delay_ns=20.0, routing_ns=15.0)
        cells = (Resource(500, 1000), Resource(300, 1000), Resource(4, 10), Resource(2, 10))
        return Implementation(request.param, path, *cells, bitstream=b"bits", placer="heap", seed=1, seconds=2.0)

    monkeypatch.setattr(flows.board.implementation, "synthesise_board", synthesise_board)
    monkeypatch.setattr(flows.board.implementation, "place_and_route", place_and_route)


def test_ports_lie_where_the_board_s_makers_say() -> None:
    """The sites of emard/ulx3s, doc/constraints/ulx3s_v20.lpf, which is for versions 2 and 3.0."""
    sites = {"clk_25mhz": "G2", "button_pwr_n": "D6", "ftdi_txd": "M1", "ftdi_rxd": "L4", "wifi_gpio0": "L2"}
    sites |= {f"led[{index}]": site for index, site in enumerate(["B2", "C2", "C1", "D2", "D1", "E2", "E1", "H3"])}
    pins = ulx3s_pins()
    for port, site in sites.items():
        assert f'LOCATE COMP "{port}" SITE "{site}";' in pins
        assert f'IOBUF PORT "{port}" IO_TYPE=LVCMOS33' in pins
    assert 'FREQUENCY PORT "clk_25mhz" 25 MHZ;' in pins


def test_the_top_module_fits_the_board_s_logic() -> None:
    config = BoardConfig(AcceleratorConfig(rows=2, cols=2, rf_depth=1, requant_lanes=1))
    assert lint(emit_board(config) + ulx3s_verilog(), top="ulx3s") == ""


@pytest.mark.parametrize("tools", [40.0], indirect=True)
def test_implementing_leaves_a_bitstream_and_says_what_is_on_it(
    tools: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert implement("--board", "ulx3s-85f", "-o", tmp_path / "chip") == 0
    assert (tmp_path / "chip" / "accelerator.bit").read_bytes() == b"bits"
    assert "The whole ulx3s-85f, at its own pins" in capsys.readouterr().out


@pytest.mark.parametrize("tools", [24.9], indirect=True)
def test_a_clock_that_is_not_reached_is_a_failure(
    tools: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert implement("--board", "ulx3s-85f", "-o", tmp_path / "chip") == 1
    assert "reaches 24.9 MHz on ulx3s-85f, whose clock has 25 MHz" in capsys.readouterr().err
    assert not (tmp_path / "chip").exists()


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (("--board", "ulx4s"), "board: 'ulx4s' is not supported; accepted: ulx3s-85f"),
        (("--board", "ulx3s-85f", "--device", "ecp5-25k"), "device: ulx3s-85f has its own"),
        (("--board", "ulx3s-85f", "--memory-kib", "100"), "memory_kib: 100 is out of range"),
    ],
)
def test_bad_input_is_refused_before_any_tool_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], naming: str
) -> None:
    assert implement(*arguments, "-o", tmp_path / "chip") == 2
    assert naming in capsys.readouterr().err


def test_missing_pins_are_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(flows.board.ulx3s, "find_spec", lambda name: None)
    assert implement("--board", "ulx3s-85f", "-o", tmp_path / "chip") == 1
    assert "amaranth-boards is not installed" in capsys.readouterr().err
