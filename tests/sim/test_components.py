"""Single components of the RTL against the golden models that lie beside them, with random stimulus."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from amaranth.back import verilog
from amaranth.lib.wiring import Component

from hwgen.config import AcceleratorConfig
from hwgen.rtl.act_buffer import ActBuffer
from hwgen.rtl.burst_splitter import BurstSplitter
from hwgen.rtl.prescale import PrescaleLane
from hwgen.rtl.ram import RAM_VERILOG
from hwgen.rtl.requantise import RequantiseLane
from sim.benches.runner import bench_design, run_bench
from sim.system import ACCELERATOR_FILE, HDL
from sim.verilator import Design
from tests.sim.accelerators import ACCELERATORS

CONFIGS = pytest.mark.parametrize(
    "config",
    [ACCELERATORS["narrow"], pytest.param(ACCELERATORS["uneven"], marks=pytest.mark.slow)],
    ids=["narrow", "uneven"],
)
"""Components that a configuration makes: one accelerator in the fast tests, a second in the slow ones."""


def component_bench(component: Component) -> Design:
    """A component alone under cocotb; ports keep Amaranth's names (``stream__payload``)."""
    text = verilog.convert(component, name="component", emit_src=False, strip_internal_attrs=True)
    waivers = (HDL / "waivers.vlt").read_text(encoding="utf-8")
    return bench_design("component", {"waivers.vlt": waivers, ACCELERATOR_FILE: f"{text}\n{RAM_VERILOG}"})


def config_plusargs(config: AcceleratorConfig) -> list[str]:
    return [f"+{name}={value}" for name, value in asdict(config).items()]


def test_requantise_lane() -> None:
    run_bench(component_bench(RequantiseLane()), "sim.benches.components.requantise")


def test_prescale_lane() -> None:
    run_bench(component_bench(PrescaleLane()), "sim.benches.components.prescale")


@pytest.mark.parametrize("bus_bits", [32, 256])
def test_burst_splitter(bus_bits: int) -> None:
    plusargs = [f"+bus_bytes={bus_bits // 8}"]
    run_bench(component_bench(BurstSplitter(bus_bits)), "sim.benches.components.burst_splitter", plusargs)


@CONFIGS
def test_act_buffer(config: AcceleratorConfig) -> None:
    run_bench(component_bench(ActBuffer(config)), "sim.benches.components.act_buffer", config_plusargs(config))
