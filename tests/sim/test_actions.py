"""The actions that a program is expected to take are those that the RTL counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.actions import action_counts
from hwgen.compiler import compile_graph
from hwgen.config import PRESETS, AcceleratorConfig, Dataflow
from hwgen.graph import LayerGraph
from hwgen.importers.tflite import read_tflite
from hwgen.memory_model import DEFAULT_MEMORY, MemoryModel
from sim.simulate import simulate
from tests.hwgen.random_graphs import random_layer_graph
from tests.sim.accelerators import ACCELERATORS
from tests.sim.test_cycle_sweep import accelerators
from tests.sim.test_networks import MLPERF_TINY

SLOW_MEMORY = MemoryModel(latency_cycles=90, cycles_per_beat=3)


def differences(
    graph: LayerGraph, config: AcceleratorConfig, memory: MemoryModel = DEFAULT_MEMORY
) -> dict[str, tuple[int, int]]:
    """(counted by the RTL, expected) of the actions where they differ."""
    program = compile_graph(graph, config)
    counters = simulate(program, np.zeros((1, *program.input.shape), np.int8), memory).counters
    expected = action_counts(program)
    return {name: (counters[name], count) for name, count in expected.items() if counters[name] != count}


@pytest.mark.parametrize("config", ACCELERATORS.values(), ids=ACCELERATORS)
@pytest.mark.parametrize("memory", [DEFAULT_MEMORY, SLOW_MEMORY], ids=str)
def test_actions_of_random_networks_are_those_that_the_rtl_counts(
    memory: MemoryModel, config: AcceleratorConfig
) -> None:
    rng = np.random.default_rng(1)
    for _ in range(25):
        assert differences(random_layer_graph(rng, max_elements=1024), config, memory) == {}


@pytest.mark.slow
@pytest.mark.parametrize("dataflow", Dataflow)
@pytest.mark.parametrize("name", MLPERF_TINY)
def test_actions_of_mlperf_tiny_are_those_that_the_rtl_counts(name: str, dataflow: Dataflow, data_dir: Path) -> None:
    config = replace(PRESETS["default"], dataflow=dataflow)
    assert differences(read_tflite(data_dir / "models" / f"{name}.tflite"), config) == {}


@pytest.mark.slow
@pytest.mark.parametrize("dataflow", Dataflow)
def test_actions_on_random_accelerators_are_those_that_the_rtl_counts(dataflow: Dataflow) -> None:
    for number, config in enumerate(accelerators(dataflow)):
        rng = np.random.default_rng([4, number])
        for _ in range(30):
            assert differences(random_layer_graph(rng, max_elements=4096), config) == {}, config
