"""The emitted Verilog passes Verilator's lint, and the waivers do not hide real mistakes."""

from __future__ import annotations

import pytest

from hwgen.config import AcceleratorConfig
from sim.lint import lint
from sim.system import accelerator_verilog
from tests.sim.accelerators import ACCELERATORS


@pytest.mark.parametrize("config", ACCELERATORS.values(), ids=ACCELERATORS)
def test_the_accelerator_is_clean(config: AcceleratorConfig) -> None:
    assert lint(accelerator_verilog(config)) == ""


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        ("assign y = a;", "WIDTHTRUNC"),
        ("assign y = b; assign b = ~b;", "UNOPTFLAT"),
        ("always @* if (a[0]) y = 1;", "LATCH"),
        ("sub s(.q(y), .r());", "Cannot find file containing module"),
    ],
)
def test_mistakes_are_reported(body: str, warning: str) -> None:
    kind = "reg" if "always" in body else "wire"
    assert warning in lint(f"module m(input [3:0] a, output {kind} y); wire b; {body} endmodule", top="m")
