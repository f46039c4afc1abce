"""The boundary: what stands around an accelerator that is implemented alone."""

from __future__ import annotations

from flows.implement.ecp5.boundary import boundary_verilog
from hwgen.config import AcceleratorConfig


def test_every_port_is_connected_once() -> None:
    """Inputs to bits of one register and outputs to bits of another, all of them."""
    text = boundary_verilog(AcceleratorConfig(rows=2, cols=2, rf_depth=2, requant_lanes=1))
    for vector in ("inputs", "outputs"):
        width = int(text.split(f"] {vector};")[0].rsplit("[", 1)[1].split(":")[0]) + 1
        slices = [part.split("]")[0].split(":") for part in text.split(f"({vector}[")[1:]]
        bits = [bit for high, low in slices for bit in range(int(low), int(high) + 1)]
        assert bits == list(range(width))
