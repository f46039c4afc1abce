"""The simulated memory on its own: contents, latency and bandwidth, at every bus width; and its protocol checks."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.memory_model import MemoryModel
from sim.benches.runner import bench_design, run_bench
from sim.simulate import run, simulator
from sim.system import HDL, SimulationError
from sim.verilator import build
from tests.sim.stubs import copy_program, stub_verilog


@pytest.mark.parametrize(("bus_bits", "latency", "interval"), [(32, 2, 1), (64, 32, 1), (64, 7, 3), (256, 90, 1)])
def test_contents_latency_and_bandwidth(bus_bits: int, latency: int, interval: int) -> None:
    names = ("axi_memory.sv", "storage.cpp")
    sources = {name: (HDL / name).read_text(encoding="utf-8") for name in names}
    design = bench_design("axi_memory", sources, {"DATA_BITS": bus_bits})
    run_bench(design, "sim.benches.memory", [f"+latency={latency}", f"+interval={interval}"])


@pytest.mark.parametrize(
    ("correct", "wrong", "message"),
    [
        ("m_axi_wlast = &beat", "m_axi_wlast = beat == 3", "AXI WLAST is 1 on a write beat"),
        ("base[6] + offset", "base[6] + 4000 + offset", "AXI read burst .* of 16 beats crosses a 4 KiB boundary"),
        ("{2{2'b01}}", "{2{2'b10}}", r"AXI read burst at 0x00001000 is not INCR \(type 2\)"),
        ("{2{3'($clog2(BYTES))}}", "{2{3'd1}}", "has beats of 2 bytes on a bus of 8"),
        ("base[6] + offset", "32'h1000_0000 + offset", "AXI read burst at 0x10000000 is outside the memory"),
        ("m_axi_wdata = buffer[beat]", "m_axi_wdata = DATA_BITS'(cycles)", "AXI W was withdrawn or changed"),
        ("m_axi_awaddr = base[7]", "m_axi_awaddr = base[6]", "is neither in the scratch nor in the output region"),
    ],
)
def test_protocol_violations_end_the_simulation(correct: str, wrong: str, message: str) -> None:
    program = copy_program(bursts=2)
    assert correct in stub_verilog(64)
    executable = build(simulator(stub_verilog(64).replace(correct, wrong), 64))
    with pytest.raises(SimulationError, match=message):
        run(executable, program, np.zeros((1, *program.input.shape), np.int8), MemoryModel(cycles_per_beat=2))
