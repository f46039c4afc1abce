"""Product registers: taken into the multiplier where the product goes nowhere else, and then the same circuit."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flows.ecp5.multipliers import absorb_product_registers
from flows.tools import run_yosys
from tests.flows.ecp5.primitives import MULT18X18D

DESIGN = """\
module design(input clk, input enable, input reset, input signed [4:0] a, b, output reg signed [9:0] p, output seen);
  wire signed [9:0] product = a * b;
  assign seen = {seen};
  {behaviour}
endmodule
"""


def yosys(directory: Path, *commands: str) -> None:
    run_yosys(commands, directory, watch=lambda _: None)


def absorbed(directory: Path, behaviour: str, seen: str = "enable") -> dict[str, Any]:
    """The synthesised design with its product registers absorbed."""
    (directory / "design.v").write_text(DESIGN.format(behaviour=behaviour, seen=seen))
    synthesis = "synth_lattice -family ecp5 -top design -json netlist.json"
    yosys(directory, "read_verilog design.v", synthesis)
    design: dict[str, Any] = json.loads((directory / "netlist.json").read_text())
    module = design["modules"]["design"]
    module["cells"] = absorb_product_registers(module)
    (directory / "absorbed.json").write_text(json.dumps(design))
    return module


def cell_types(module: dict[str, Any]) -> Counter[str]:
    return Counter(cell["type"] for cell in module["cells"].values())


@pytest.mark.parametrize("condition", ["", "if (enable) "])
def test_the_circuit_stays_the_same(tmp_path: Path, condition: str) -> None:
    """Proven by Yosys for every input in every state that inputs can lead to."""
    module = absorbed(tmp_path, f"always @(posedge clk) {condition}p <= product;")
    assert cell_types(module)["MULT18X18D"] == 1
    assert "TRELLIS_FF" not in cell_types(module)
    (tmp_path / "primitive.v").write_text(MULT18X18D)
    yosys(
        tmp_path,
        "read_verilog design.v",
        "rename design before",
        "read_json absorbed.json",
        "setattr -mod -unset top design",
        "rename design after",
        "read_verilog primitive.v",
        "read_verilog -lib -specify +/lattice/cells_sim_ecp5.v",
        "hierarchy",
        "proc",
        "miter -equiv -flatten -make_assert before after miter",
        "hierarchy -top miter",
        "flatten",
        "opt -full",
        "sat -verify -tempinduct -set-init-zero -prove-asserts miter",
    )


@pytest.mark.parametrize(
    ("behaviour", "seen"),
    [
        ("always @(posedge clk) if (reset) p <= 0; else p <= product;", "enable"),
        ("always @(negedge clk) p <= product;", "enable"),
        ("always @(posedge clk) p <= product;", "product[3]"),
        ("always @(posedge clk) begin p[4:0] <= product[4:0]; if (enable) p[9:5] <= product[9:5]; end", "enable"),
        ("always @* p = product;", "enable"),
        ("always @(posedge clk) p <= product ^ a;", "enable"),
    ],
    ids=["reset", "falling edge", "read elsewhere", "two enables", "no register", "logic between"],
)
def test_what_a_multiplier_cannot_do_stays_beside_it(tmp_path: Path, behaviour: str, seen: str) -> None:
    module = absorbed(tmp_path, behaviour, seen)
    before = json.loads((tmp_path / "netlist.json").read_text())["modules"]["design"]
    assert module["cells"] == before["cells"]
    assert cell_types(module)["MULT18X18D"] == 1
