"""The actions that a program is expected to take are those that the RTL counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.actions import action_counts
from hwgen.compiler import compile_graph
from hwgen.config import PRESETS, AcceleratorConfig, Dataflow
from hwgen.graph import Conv, LayerGraph, Window
from hwgen.importers.tflite import read_tflite
from hwgen.memory_model import DEFAULT_MEMORY, MemoryModel
from hwgen.rtl.mac_steps import mac_steps
from hwgen.rtl.step import most_macs
from sim.simulate import simulate
from tests.hwgen.interpreter import instructions
from tests.hwgen.random_graphs import random_layer_graph
from tests.hwgen.single_layers import single_layer
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
@pytest.mark.parametrize("dataflow", [Dataflow.OS, Dataflow.WS])
def test_the_rtl_counts_a_step_of_all_macs_that_an_instruction_can_say(dataflow: Dataflow) -> None:
    """32 pixels share the columns of a step that counts all 63 operands in each of the kernel's four rows."""
    config = AcceleratorConfig(rows=4, cols=32, dataflow=dataflow, act_buffer_kib=8, weight_buffer_kib=64)
    graph = single_layer(Conv, (6, 71, 7), 1, Window((4, 9), stride=(1, 2)))
    *_, mac, _, _ = instructions(compile_graph(graph, config).image)
    assert max(step["macs"] for step in mac_steps([mac.fields], config)) == most_macs(config)
    assert differences(graph, config) == {}


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
