"""The cocotb benches, on the stub accelerator: both see the same outputs, and the system the same cycles as ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen.memory_model import MemoryModel
from hwgen.program import Program
from sim.benches.runner import BenchError, bench_design, run_bench
from sim.simulate import parse_results, run, sample_counters, simulator
from sim.system import ACCELERATOR_FILE, plusargs, system_sources
from sim.verilator import build
from tests.sim.stubs import copy_program, stub_verilog

BUS_BITS = 64


def write_files(program: Program, inputs: np.ndarray, directory: Path) -> None:
    (directory / "image").write_bytes(program.image)
    (directory / "input").write_bytes(inputs.tobytes())


def random_inputs(program: Program, samples: int) -> np.ndarray:
    return np.random.default_rng(0).integers(-128, 128, (samples, *program.input.shape)).astype(np.int8)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_accelerator_under_random_back_pressure(tmp_path: Path, seed: int) -> None:
    program = copy_program(bursts=5)
    inputs = random_inputs(program, samples=2)
    write_files(program, inputs, tmp_path)
    design = bench_design("cosynth_accelerator", {ACCELERATOR_FILE: stub_verilog(BUS_BITS)})
    run_bench(design, "sim.benches.accelerator", plusargs(program, len(inputs), MemoryModel(), tmp_path), seed)
    assert (tmp_path / "output").read_bytes() == inputs.tobytes()


@pytest.mark.parametrize("memory", [MemoryModel(), MemoryModel(latency_cycles=100, cycles_per_beat=2)])
def test_cocotb_and_the_compiled_harness_count_the_same_cycles(tmp_path: Path, memory: MemoryModel) -> None:
    program = copy_program(bursts=5)
    inputs = random_inputs(program, samples=2)
    write_files(program, inputs, tmp_path)
    design = bench_design("cosynth_top", system_sources(stub_verilog(BUS_BITS)), {"DATA_BITS": BUS_BITS})
    run_bench(design, "sim.benches.system", plusargs(program, len(inputs), memory, tmp_path))
    records = parse_results((tmp_path / "results").read_text())
    measurement = run(build(simulator(stub_verilog(BUS_BITS), BUS_BITS)), program, inputs, memory)
    assert tuple(sample_counters(record) for record in records) == measurement.sample_counters
    assert records[-1].done == measurement.sim_cycles
    assert (tmp_path / "output").read_bytes() == measurement.outputs.tobytes()


def test_a_failing_bench_says_why(tmp_path: Path) -> None:
    program = copy_program(bursts=2, copied=1)
    inputs = random_inputs(program, samples=1)
    write_files(program, inputs, tmp_path)
    design = bench_design("cosynth_top", system_sources(stub_verilog(BUS_BITS)), {"DATA_BITS": BUS_BITS})
    with pytest.raises(BenchError, match="byte 128 of sample 0's output was never written"):
        run_bench(design, "sim.benches.system", plusargs(program, 1, MemoryModel(), tmp_path))
