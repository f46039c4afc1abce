"""Registers behind block RAM: taken into it where they can be.

That the circuit stays the same is tested on the whole accelerator, in ``test_netlist``.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flows.implement.ecp5.memories import absorb_output_registers
from tests.flows.implement.ecp5.equivalence import synthesise

DESIGN = """\
module design(
  input clk, other, enable, reset, input [8:0] from, to, input [{top}:0] data, output reg [{top}:0] read, output seen
);
  (* no_rw_check, ram_style = "block" *) reg [{top}:0] words [0:511];
  reg [{top}:0] word;
  always @(posedge clk) begin
    if (enable) word <= words[from];
    words[to] <= data;
  end
  assign seen = {seen};
  {behaviour}
endmodule
"""
REGISTER = "always @(posedge clk) read <= word;"


def memories(design: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in design["modules"]["design"]["cells"].values() if cell["type"] == "DP16KD"]


def absorbed(directory: Path, verilog: str) -> dict[str, Any]:
    design = synthesise(directory, verilog)
    module = design["modules"]["design"]
    return design | {"modules": {"design": module | {"cells": absorb_output_registers(module)}}}


@pytest.mark.parametrize("width", [36, 64])
def test_a_register_behind_a_memory_becomes_its_own(tmp_path: Path, width: int) -> None:
    design = absorbed(tmp_path, DESIGN.format(top=width - 1, seen="enable", behaviour=REGISTER))
    cells = design["modules"]["design"]["cells"]
    assert Counter(cell["type"] for cell in cells.values())["TRELLIS_FF"] == 0
    outputs = set()
    for memory in memories(design):
        assert (memory["parameters"]["REGMODE_A"], memory["parameters"]["REGMODE_B"]) == ("OUTREG", "OUTREG")
        assert memory["connections"]["OCEA"] == memory["connections"]["OCEB"] == ["1"]
        outputs |= {wire for port, wires in memory["connections"].items() if port.startswith("DO") for wire in wires}
    assert outputs >= set(design["modules"]["design"]["ports"]["read"]["bits"])


@pytest.mark.parametrize(
    ("behaviour", "seen"),
    [
        ("always @(posedge clk) if (reset) read <= 0; else read <= word;", "enable"),
        ("always @(posedge clk) if (enable) read <= word;", "enable"),
        ("always @(posedge other) read <= word;", "enable"),
        (REGISTER, "word[3]"),
        ("always @(posedge clk) read <= word ^ data;", "enable"),
    ],
    ids=["reset", "enable", "another clock", "read elsewhere", "logic between"],
)
def test_what_a_memory_cannot_do_stays_beside_it(tmp_path: Path, behaviour: str, seen: str) -> None:
    verilog = DESIGN.format(top=35, seen=seen, behaviour=behaviour)
    design = absorbed(tmp_path, verilog)
    assert design == synthesise(tmp_path, verilog)
    assert len(memories(design)) == 1
