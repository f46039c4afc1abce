"""Products in LUTs: as many as must be, and the same circuit."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from flows.implement.ecp5.floorplan import array_multipliers
from flows.implement.ecp5.lut_products import Product, lut_products, multipliers_beside
from flows.implement.ecp5.synthesis import map_to_cells
from flows.tools import run_yosys
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError
from tests.flows.implement.ecp5.primitives import MULT18X18D

DESIGN = """\
module products(input signed [4:0] a, b, output signed [9:0] product_0_0, product_0_1);
  assign product_0_0 = a * b;
  assign product_0_1 = a * a;
endmodule
module design(input signed [4:0] a, b, output signed [9:0] p, q, r);
  products dot_products(.a(a), .b(b), .product_0_0(p), .product_0_1(q));
  assign r = b * b;
endmodule
"""
REGISTERED = """\
module products(input clk, input signed [7:0] a, b, c, d, output reg signed [15:0] product_0_1, product_0_10);
  reg signed [7:0] e;
  always @(posedge clk) begin
    e <= a * d;
    product_0_1 <= a * b;
    product_0_10 <= c * e;
  end
endmodule
module design(input clk, input signed [7:0] a, b, c, d, output signed [15:0] p, q);
  products \\array.dot_products (.clk(clk), .a(a), .b(b), .c(c), .d(d), .product_0_1(p), .product_0_10(q));
endmodule
"""


def test_the_array_has_what_the_rest_leaves_it() -> None:
    config = AcceleratorConfig(rows=12, cols=12)
    assert multipliers_beside(config) == 4 * 4 + 2 * 4 + 3
    assert [len(lut_products(config, limit)) for limit in (27, 100, 156, 171, 200)] == [144, 71, 15, 0, 0]
    with pytest.raises(InputError, match="multipliers: 26 are too few"):
        lut_products(config, 26)


def test_products_are_those_of_columns_in_the_middle() -> None:
    """So the multipliers that the array leaves to the rest are side by side."""
    config = AcceleratorConfig(rows=3, cols=4)
    beside = multipliers_beside(config)
    assert lut_products(config, beside + 12 - 4) == [(1, 0), (1, 1), (1, 2), (2, 0)]
    assert set(lut_products(config, beside)) == {(col, row) for col in range(4) for row in range(3)}


@pytest.mark.parametrize("products", [[], [(0, 1)], [(0, 0), (0, 1)]], ids=len)
def test_these_products_are_luts_and_the_circuit_stays_the_same(tmp_path: Path, products: list[Product]) -> None:
    """Proven by Yosys for every input; the product beside the array stays a multiplier."""
    design = map_to_cells({"design.v": DESIGN}, "design", products, watch=lambda _: None)
    cells = Counter(cell["type"] for cell in design["modules"]["design"]["cells"].values())
    assert cells["MULT18X18D"] == 3 - len(products)
    (tmp_path / "design.v").write_text(DESIGN)
    (tmp_path / "primitive.v").write_text(MULT18X18D)
    (tmp_path / "netlist.json").write_text(json.dumps(design))
    proof = (
        "read_verilog design.v",
        "hierarchy -top design",
        "flatten",
        "setattr -mod -unset top design",
        "rename design before",
        "delete products",
        "read_verilog -nooverwrite +/lattice/cells_sim_ecp5.v",
        "read_verilog -overwrite primitive.v",
        "read_json netlist.json",
        "setattr -mod -unset top design",
        "rename design after",
        "hierarchy",
        "proc",
        "miter -equiv -flatten -make_assert before after miter",
        "hierarchy -top miter",
        "flatten",
        "opt -full",
        "sat -verify -prove-asserts miter",
    )
    run_yosys(proof, tmp_path, watch=lambda _: None)


@pytest.mark.parametrize("products", [[(0, 1)], [(0, 10)], [(0, 1), (0, 10)]], ids=str)
def test_a_product_is_what_its_register_takes(products: list[Product]) -> None:
    """Not one that another begins with, nor what its operands are made of."""
    design = map_to_cells({"design.v": REGISTERED}, "design", products, watch=lambda _: None)
    module = design["modules"]["design"]
    cells = Counter(cell["type"] for cell in module["cells"].values())
    assert cells["MULT18X18D"] == 3 - len(products)
    assert set(array_multipliers(module)) == {(0, 1), (0, 10)} - set(products)
