"""Products in LUTs: as many as must be, and the same circuit."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from flows.implement.ecp5.lut_products import lut_products, multipliers_beside
from flows.implement.ecp5.synthesis import map_to_cells
from flows.tools import run_yosys
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError
from tests.flows.implement.ecp5.primitives import MULT18X18D

DESIGN = """\
module products(input signed [4:0] a, b, output signed [9:0] p, q);
  assign p = a * b;
  assign q = a * a;
endmodule
module design(input signed [4:0] a, b, output signed [9:0] p, q, r);
  products dot_products(.a(a), .b(b), .p(p), .q(q));
  assign r = b * b;
endmodule
"""


def test_the_array_has_what_the_rest_leaves_it() -> None:
    config = AcceleratorConfig(rows=12, cols=12)
    assert multipliers_beside(config) == 4 * 4 + 2 * 4 + 3
    assert [lut_products(config, limit) for limit in (27, 100, 156, 171, 200)] == [144, 71, 15, 0, 0]
    with pytest.raises(InputError, match="multipliers: 26 are too few"):
        lut_products(config, 26)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_as_many_products_are_luts_and_the_circuit_stays_the_same(tmp_path: Path, count: int) -> None:
    """Proven by Yosys for every input; the product beside the array stays a multiplier."""
    design = map_to_cells({"design.v": DESIGN}, "design", count, watch=lambda _: None)
    cells = Counter(cell["type"] for cell in design["modules"]["design"]["cells"].values())
    assert cells["MULT18X18D"] == 3 - count
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
