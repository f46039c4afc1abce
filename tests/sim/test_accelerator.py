"""The accelerator's RTL computes what the reference computes, bit for bit, whatever the memory's timing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen import reference
from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig
from hwgen.graph import LayerGraph
from hwgen.memory_model import MemoryModel
from sim.benches.runner import bench_design, run_bench
from sim.simulate import parse_results, sample_counters, simulate
from sim.system import ACCELERATOR_FILE, accelerator_verilog, plusargs, system_sources
from tests.hwgen.random_graphs import random_input, random_layer_graph
from tests.sim.accelerators import ACCELERATORS

HDL = Path(__file__).parents[2] / "sim" / "hdl"
every_accelerator = pytest.mark.parametrize("config", ACCELERATORS.values(), ids=ACCELERATORS)


def random_case(seed: int, samples: int = 2) -> tuple[LayerGraph, np.ndarray]:
    rng = np.random.default_rng(seed)
    graph = random_layer_graph(rng, max_elements=1024)
    return graph, random_input(rng, graph, samples)


@every_accelerator
@pytest.mark.parametrize("seed", range(20))
def test_random_networks_are_bit_exact(config: AcceleratorConfig, seed: int) -> None:
    graph, inputs = random_case(seed)
    measurement = simulate(compile_graph(graph, config), inputs)
    np.testing.assert_array_equal(measurement.outputs, reference.run(graph, inputs))


@pytest.mark.slow
@every_accelerator
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_many_random_networks_are_bit_exact(config: AcceleratorConfig, seed: int) -> None:
    graph, inputs = random_case(seed, samples=1)
    measurement = simulate(compile_graph(graph, config), inputs)
    np.testing.assert_array_equal(measurement.outputs, reference.run(graph, inputs))


@every_accelerator
@pytest.mark.parametrize("memory", [MemoryModel(2), MemoryModel(300), MemoryModel(40, cycles_per_beat=3)])
def test_slow_memory_changes_cycles_only(config: AcceleratorConfig, memory: MemoryModel) -> None:
    graph, inputs = random_case(seed=5)
    measurement = simulate(compile_graph(graph, config), inputs, memory)
    np.testing.assert_array_equal(measurement.outputs, reference.run(graph, inputs))


@every_accelerator
def test_each_sample_takes_the_same_cycles(config: AcceleratorConfig) -> None:
    graph, inputs = random_case(seed=5, samples=3)
    first, *others = simulate(compile_graph(graph, config), inputs).sample_counters
    assert all(counters == first for counters in others)


@every_accelerator
@pytest.mark.parametrize("seed", [5, 14, 22])
def test_bit_exact_under_random_back_pressure(config: AcceleratorConfig, seed: int, tmp_path: Path) -> None:
    """cocotbext-axi's memory and master pause every channel at random, and registers start at random."""
    graph, inputs = random_case(seed)
    program = compile_graph(graph, config)
    (tmp_path / "image").write_bytes(program.image)
    (tmp_path / "input").write_bytes(inputs.tobytes())
    sources = {
        "waivers.vlt": (HDL / "waivers.vlt").read_text(encoding="utf-8"),
        ACCELERATOR_FILE: accelerator_verilog(config),
    }
    design = bench_design("cosynth_accelerator", sources)
    run_bench(design, "sim.benches.accelerator", plusargs(program, len(inputs), MemoryModel(), tmp_path), seed)
    assert (tmp_path / "output").read_bytes() == reference.run(graph, inputs).tobytes()


@every_accelerator
def test_cocotb_and_the_compiled_harness_count_the_same_cycles(config: AcceleratorConfig, tmp_path: Path) -> None:
    graph, inputs = random_case(seed=5)
    program = compile_graph(graph, config)
    (tmp_path / "image").write_bytes(program.image)
    (tmp_path / "input").write_bytes(inputs.tobytes())
    design = bench_design("cosynth_top", system_sources(accelerator_verilog(config)), {"DATA_BITS": config.bus_bits})
    run_bench(design, "sim.benches.system", plusargs(program, len(inputs), MemoryModel(), tmp_path))
    records = parse_results((tmp_path / "results").read_text())
    measurement = simulate(program, inputs)
    assert tuple(sample_counters(record) for record in records) == measurement.sample_counters
    assert (tmp_path / "output").read_bytes() == measurement.outputs.tobytes()
