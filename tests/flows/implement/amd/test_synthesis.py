"""``cosynth synthesise``: what Yosys makes of a design, what is written and printed, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import flows.implement.amd.job
import flows.tools
from flows.cli import app
from flows.errors import exit_code
from flows.implement.amd.devices import (
    BESIDE_LUTS,
    DSPS,
    FLIP_FLOPS,
    LOGIC,
    MEMORIES,
    MEMORIES_18K,
    MEMORIES_36K,
    SHIFT_REGISTERS,
    Device,
    resources,
)
from flows.implement.amd.synthesis import synthesise_verilog
from flows.implement.netlist import Netlist
from hwgen.config import AcceleratorConfig
from hwgen.rtl.ram import RAM_VERILOG

COUNTED = {*LOGIC, *MEMORIES, *SHIFT_REGISTERS, *FLIP_FLOPS, *DSPS, *MEMORIES_18K, *MEMORIES_36K, *BESIDE_LUTS}
DESIGN = f"""\
module part(input clk, input [9:0] place, input write, input [35:0] d, output reg [35:0] q, output [71:0] words);
  cosynth_ram #(.WIDTH(36), .DEPTH(1024), .GRANULE(9), .ADDRESS_BITS(10)) large
    (.clk(clk), .read_enable(1'b1), .read_address(place), .read_data(words[35:0]), .write_enable({{4{{write}}}}),
     .write_address(place), .write_data(d));
  reg [35:0] file [0:15];
  reg signed [15:0] product;
  always @(posedge clk) begin
    if (write) file[place[3:0]] <= d;
    product <= $signed(d[7:0]) * $signed(d[15:8]);
    q <= file[place[7:4]] + product;
  end
  assign words[71:36] = q;
endmodule
module design(input clk, input [9:0] place, input write, input [35:0] d, output [35:0] q, output [71:0] words);
  part inner(.clk(clk), .place(place), .write(write), .d(d), .q(q), .words(words));
endmodule
{RAM_VERILOG}"""
CELLS = {"drain": "$scopeinfo", "drain.x_DSP48E1_P": "DSP48E1", "drain.y_LUT6_O": "LUT6", "done_FDRE_Q": "FDRE"}


@pytest.mark.parametrize(("family", "multiplier"), [("xc7", "DSP48E1"), ("xcup", "DSP48E2")])
def test_multipliers_become_dsp48s_buffers_block_ram_and_register_files_distributed_ram(
    family: str, multiplier: str
) -> None:
    netlist = Netlist("", synthesise_verilog(DESIGN, "design", family, watch=lambda _: None), "", 0.0)
    used = resources(netlist.cells)
    assert netlist.cells[multiplier] == 1
    assert (used.dsp, used.ramb36, used.ramb18) == (1, 1, 0)
    assert used.distributed_ram > 0
    assert set(netlist.cells) <= COUNTED
    assert "inner" in netlist.components()


def run(*arguments: object) -> int:
    return exit_code(lambda: app(["synthesise", *map(str, arguments)], standalone_mode=False))


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for synthesis: a multiplier, a LUT and a flip-flop."""

    def synthesise(config: AcceleratorConfig, device: Device, watch: Callable[[str], None]) -> Netlist:
        watch("[1/2] a step")
        cells = {name: {"type": kind} for name, kind in CELLS.items()}
        return Netlist("the accelerator", {"modules": {"cosynth_accelerator": {"cells": cells}}}, "", 1.0)

    monkeypatch.setattr(flows.implement.amd.job, "synthesise", synthesise)


def test_it_leaves_verilog_and_a_report_that_says_what_its_figures_are(
    tools: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "amd"
    assert run("--set", "rows=4", "--device", "xc7a100t", "-o", output) == 0
    assert sorted(path.name for path in output.iterdir()) == ["accelerator.v", "synthesis.json"]
    assert (output / "accelerator.v").read_text() == "the accelerator"
    report = json.loads((output / "synthesis.json").read_text())
    assert (report["device"], report["accelerator"]["rows"]) == ("xc7a100t", 4)
    assert report["stage"].startswith("after synthesis by Yosys, before place and route: no clock")
    assert report["utilization"]["DSP48s"] == {"used": 1, "available": 240}
    assert report["components"]["drain"] | {"lut": 1, "dsp": 1} == report["components"]["drain"]
    assert Counter(report["cells"]) == Counter(DSP48E1=1, LUT6=1, FDRE=1)
    printed = capsys.readouterr().out
    for said in ("xc7a100t, post-synthesis", "DSP48s", "1 of     240", "before place and route: no clock"):
        assert said in printed


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (("--device", "ecp5-85k"), "device: 'ecp5-85k' is not supported; accepted: xc7a35t"),
        (("--set", "rows=99"), "rows: "),
    ],
)
def test_bad_input_is_refused(
    tools: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], naming: str
) -> None:
    assert run(*arguments, "-o", tmp_path / "amd") == 2
    assert naming in capsys.readouterr().err
    assert not (tmp_path / "amd").exists()


def test_a_missing_yosys_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(flows.tools, "find_spec", lambda name: None)
    small = [word for value in ("rows=2", "cols=2", "rf_depth=1", "requant_lanes=1") for word in ("--set", value)]
    assert run(*small, "-o", tmp_path / "amd") == 1
    assert "pyosys is not installed; run `pip install 'cosynth[implement]'`" in capsys.readouterr().err
    assert not (tmp_path / "amd").exists()
