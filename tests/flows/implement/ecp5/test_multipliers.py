"""Registers of products and operands: taken into the multiplier where they can be, and then the same circuit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flows.implement.ecp5.multipliers import absorb_registers
from tests.flows.implement.ecp5.equivalence import prove_equal, synthesise

DESIGN = """\
module design(input clk, input enable, input reset, input signed [4:0] a, b, output reg signed [9:0] p, output seen);
  wire signed [9:0] product = a * b;
  assign seen = {seen};
  {behaviour}
endmodule
"""


def absorbed(directory: Path, verilog: str) -> dict[str, Any]:
    """The synthesised design with its registers absorbed."""
    design = synthesise(directory, verilog)
    module = design["modules"]["design"]
    return design | {"modules": {"design": module | {"cells": absorb_registers(module)}}}


def cell_types(design: dict[str, Any]) -> Counter[str]:
    return Counter(cell["type"] for cell in design["modules"]["design"]["cells"].values())


OPERANDS = "reg signed [4:0] c, d; always @(posedge clk) begin c <= a; if (enable) d <= b; end"
"""A register for each operand, and an enable for one."""


@pytest.mark.parametrize(
    ("behaviour", "seen", "flip_flops"),
    [
        ("always @(posedge clk) p <= product;", "enable", 0),
        ("always @(posedge clk) if (enable) p <= product;", "enable", 0),
        (f"{OPERANDS} always @* p = c * d;", "enable", 0),
        (f"{OPERANDS} always @(posedge clk) if (reset) p <= c * d;", "enable", 0),
        (f"{OPERANDS} always @(posedge clk) p <= c * d;", "c[2]", 1),
    ],
    ids=["product", "enabled product", "operands", "operands and product", "operand read elsewhere"],
)
def test_the_circuit_stays_the_same(tmp_path: Path, behaviour: str, seen: str, flip_flops: int) -> None:
    """Proven by Yosys for all inputs in the first cycles, more than there are registers in a row."""
    verilog = DESIGN.format(behaviour=behaviour, seen=seen)
    design = absorbed(tmp_path, verilog)
    assert cell_types(design)["MULT18X18D"] == 1
    assert cell_types(design)["TRELLIS_FF"] == flip_flops
    prove_equal(tmp_path, verilog, design, cycles=6)


@pytest.mark.parametrize(
    ("behaviour", "seen"),
    [
        ("always @(posedge clk) if (reset) p <= 0; else p <= product;", "enable"),
        ("always @(negedge clk) p <= product;", "enable"),
        ("always @(posedge clk) p <= product;", "product[3]"),
        ("always @(posedge clk) begin p[4:0] <= product[4:0]; if (enable) p[9:5] <= product[9:5]; end", "enable"),
        ("always @* p = product;", "enable"),
        ("always @(posedge clk) p <= product ^ a;", "enable"),
        ("reg signed [4:0] c; always @(posedge clk) c <= a; always @* p = c * b;", "enable"),
        (OPERANDS.replace("c <= a", "if (reset) c <= 0; else c <= a") + " always @* p = c * d;", "enable"),
    ],
    ids=[
        "reset",
        "falling edge",
        "read elsewhere",
        "two enables",
        "no register",
        "logic between",
        "one operand's register",
        "an operand's reset",
    ],
)
def test_what_a_multiplier_cannot_do_stays_beside_it(tmp_path: Path, behaviour: str, seen: str) -> None:
    verilog = DESIGN.format(behaviour=behaviour, seen=seen)
    design = absorbed(tmp_path, verilog)
    assert design == synthesise(tmp_path, verilog)
    assert cell_types(design)["MULT18X18D"] == 1
