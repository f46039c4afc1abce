"""Place and route: what stands around the accelerator, what nextpnr's report means, and one small accelerator whole."""

from __future__ import annotations

from typing import Any

import pytest

from flows.ecp5 import CriticalPath, Netlist, Resource, boundary_verilog, read_report, route, synthesise
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError

CONFIG = AcceleratorConfig(rows=2, cols=2, rf_depth=2, act_buffer_kib=4, weight_buffer_kib=1, requant_lanes=1)


def test_every_port_is_connected_once() -> None:
    """Inputs to bits of one register and outputs to bits of another, all of them."""
    text = boundary_verilog(CONFIG)
    for vector in ("inputs", "outputs"):
        width = int(text.split(f"] {vector};")[0].rsplit("[", 1)[1].split(":")[0]) + 1
        slices = [part.split("]")[0].split(":") for part in text.split(f"({vector}[")[1:]]
        bits = [bit for high, low in slices for bit in range(int(low), int(high) + 1)]
        assert bits == list(range(width))


def step(kind: str, delay: float, start: str, end: str) -> dict[str, Any]:
    return {"type": kind, "delay": delay, "from": {"cell": start}, "to": {"cell": end}}


def test_a_report_names_the_registers_at_the_ends_of_the_critical_path() -> None:
    launch, adder = "accelerator.compute_engine.drain.x_TRELLIS_FF_Q_3", "sum_CCU2C_S0"
    capture = "accelerator.compute_engine.drain.lane_0.product_TRELLIS_FF_Q_12"
    path = [
        step("clk-to-q", 0.5, launch, launch),
        step("routing", 1.25, launch, adder),
        step("logic", 0.75, adder, adder),
        step("routing", 1.5, adder, capture),
        step("setup", 0.0, capture, capture),
    ]
    report = {
        "fmax": {"clk": {"achieved": 250.0, "constraint": 100.0}},
        "critical_paths": [
            {"from": "posedge clk", "to": "posedge clk", "path": path},
            {"from": "posedge clk", "to": "<async>", "path": [step("clk-to-q", 9.0, launch, launch)]},
        ],
        "utilization": {
            kind: {"used": used, "available": 100}
            for kind, used in {"TRELLIS_COMB": 40, "TRELLIS_FF": 30, "MULT18X18D": 20, "DP16KD": 10}.items()
        },
    }
    result = read_report(report, "ecp5-85k", pnr_seconds=2.0)
    assert (result.fmax_mhz, result.lut, result.bram) == (250.0, Resource(40, 100), Resource(10, 100))
    assert result.critical_path == CriticalPath(
        "compute_engine.drain.x", "compute_engine.drain.lane_0.product", delay_ns=4.0, routing_ns=2.75
    )


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(InputError, match="device: 'ice40' is not supported; accepted: ecp5-25k, ecp5-45k, ecp5-85k"):
        route(Netlist("{}", 0.0), "ice40")


@pytest.mark.slow
def test_a_small_accelerator_is_placed_and_routed() -> None:
    """Its multipliers are the device's, and so are the memories of its buffers."""
    result = route(synthesise(CONFIG), "ecp5-45k")
    assert result.fmax_mhz > 40
    assert result.dsp.used >= CONFIG.multipliers
    assert result.bram.used >= 16
    assert "." in result.critical_path.start
