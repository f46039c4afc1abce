"""Registers assigned under their conditions: legible, and the same circuit as Amaranth's own Verilog of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from amaranth.back import verilog as amaranth_verilog
from amaranth.lib.wiring import Component

from hwgen.config import AcceleratorConfig
from hwgen.register_blocks import join_register_blocks
from hwgen.rtl.load_engine import LoadEngine
from hwgen.rtl.mac_sequencer import MacSequencer
from hwgen.rtl.ram import RAM_VERILOG
from hwgen.rtl.row_beats import RowBeats
from hwgen.rtl.sequencer import Sequencer
from hwgen.verilog import component_verilog, emit

CONFIG = AcceleratorConfig(rows=3, cols=2, rf_depth=2, act_buffer_kib=4, weight_buffer_kib=1, requant_lanes=1)
NEXT_VALUES = """\
module part(clk, go, q, seen);
  reg \\$1 ;
  reg [3:0] \\$2 ;
  output [3:0] q;
  always @(posedge clk)
    q <= \\$2 ;
  always @* begin
    \\$2  = q;
    if (go) begin
      \\$2 [1:0] = 2'h1;
    end
  end
endmodule
"""
EQUIVALENT = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for name in ("amaranths", "ours"):
    for command in (f"read_verilog {name}.v", f"prep -flatten -top {name}", "memory", f"design -stash {name}"):
        libyosys.run_pass(f"tee -q {command}", design)
for command in (
    "design -copy-from amaranths amaranths",
    "design -copy-from ours ours",
    "equiv_make amaranths ours equivalent",
    "prep -flatten -top equivalent",
    "equiv_simple -undef",
    "equiv_status -assert",
):
    libyosys.run_pass(f"tee -q {command}", design)
"""
"""Every register of the one finds the value that it does in the other, given that all registers are the same."""


def test_a_register_is_assigned_where_its_conditions_are() -> None:
    assert (
        join_register_blocks(NEXT_VALUES)
        == """\
module part(clk, go, q, seen);
  reg \\$1 ;
  output [3:0] q;
  always @(posedge clk) begin
    if (go) begin
      q[1:0] <= 2'h1;
    end
  end
endmodule
"""
    )


@pytest.mark.parametrize(
    "reader", ["  assign seen = \\$2 [0];\n", "  always @(posedge clk)\n    seen <= \\$2 ;\n"], ids=["wire", "register"]
)
def test_a_next_value_that_is_read_elsewhere_stays_a_signal(reader: str) -> None:
    verilog = NEXT_VALUES.replace("endmodule", f"{reader}endmodule")
    assert join_register_blocks(verilog) == verilog


@pytest.mark.parametrize(
    "component",
    [lambda: RowBeats(16), lambda: Sequencer(64), lambda: LoadEngine(CONFIG), lambda: MacSequencer(CONFIG)],
    ids=["row_beats", "sequencer", "load_engine", "mac_sequencer"],
)
def test_yosys_proves_the_circuit_that_amaranth_describes(component: Callable[[], Component], tmp_path: Path) -> None:
    described = amaranth_verilog.convert(component(), name="amaranths", emit_src=False)
    emitted = component_verilog(component(), "ours")
    (tmp_path / "amaranths.v").write_text(f"{described}\n{RAM_VERILOG}", encoding="utf-8")
    (tmp_path / "ours.v").write_text(emitted, encoding="utf-8")
    # A process of its own: Yosys ends the process at an error.
    command = [sys.executable, "-c", EQUIVALENT]
    completed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout[-2000:] + completed.stderr[-2000:]


def test_no_register_of_the_accelerator_is_left_with_a_block_beside_it() -> None:
    for module in re.findall(r"^module .*?^endmodule$", emit(CONFIG), re.MULTILINE | re.DOTALL):
        followed = set(re.findall(r"@\(posedge clk\)\n    \S+ +<= (\\\$\d+) ;", module))
        blocks = re.findall(r"^  always @\*.*?^  end$", module, re.MULTILINE | re.DOTALL)
        found = {name for block in blocks for name in re.findall(r"(\\\$\d+) [^=\n]*= ", block)}
        assert not followed & found
