"""The cycle model predicts what the RTL takes, network by network and layer by layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen.compiler import compile_graph
from hwgen.config import PRESETS, AcceleratorConfig
from hwgen.cycles import predict
from hwgen.graph import LayerGraph
from hwgen.importers.tflite import read_tflite
from hwgen.memory_model import DEFAULT_MEMORY, MemoryModel
from sim.simulate import simulate
from tests.hwgen.random_configs import random_config
from tests.hwgen.random_graphs import random_layer_graph
from tests.sim.accelerators import ACCELERATORS
from tests.sim.test_networks import MLPERF_TINY, slow_but

MEMORIES = (DEFAULT_MEMORY, MemoryModel(latency_cycles=2), MemoryModel(latency_cycles=90, cycles_per_beat=3))
NETWORK_ERROR, LAYER_ERROR = 0.01, 0.03


def errors(graph: LayerGraph, config: AcceleratorConfig, memory: MemoryModel) -> tuple[float, float]:
    """Relative errors of the network's and of the worst layer's predicted cycles."""
    program = compile_graph(graph, config)
    measured = simulate(program, np.zeros((1, *program.input.shape), np.int8), memory)
    predicted = predict(program, memory)
    layers = [
        abs(cycles - measured_cycles) / max(1, measured_cycles)
        for (_, cycles), (_, measured_cycles) in zip(predicted.layer_cycles, measured.layer_cycles, strict=True)
    ]
    return abs(predicted.cycles - measured.cycles) / measured.cycles, max(layers)


@pytest.mark.parametrize("config", slow_but("default", PRESETS))
@pytest.mark.parametrize("name", MLPERF_TINY)
def test_every_layer_of_mlperf_tiny_is_predicted_exactly(name: str, config: AcceleratorConfig, data_dir: Path) -> None:
    assert errors(read_tflite(data_dir / "models" / f"{name}.tflite"), config, DEFAULT_MEMORY) == (0, 0)


@pytest.mark.parametrize("config", ACCELERATORS.values(), ids=ACCELERATORS)
@pytest.mark.parametrize("memory", MEMORIES, ids=str)
def test_every_layer_of_random_networks_is_predicted_exactly(memory: MemoryModel, config: AcceleratorConfig) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert errors(random_layer_graph(rng, max_elements=1024), config, memory) == (0, 0)


@pytest.mark.parametrize(("name", "seed"), [("narrow", 44), ("tall", 30), ("uneven", 57)])
@pytest.mark.parametrize("memory", MEMORIES, ids=str)
def test_stores_that_meet_fetches_in_the_activation_buffer_wait(memory: MemoryModel, name: str, seed: int) -> None:
    """Seeds were searched for: in few networks that are as small does a store meet the array."""
    graph = random_layer_graph(np.random.default_rng([3, seed]), max_elements=8192)
    assert errors(graph, ACCELERATORS[name], memory) == (0, 0)


@pytest.mark.parametrize(("name", "seed"), [("narrow", 20), ("tall", 38), ("uneven", 38)])
def test_bursts_wait_where_as_many_are_in_flight_as_the_port_follows(name: str, seed: int) -> None:
    """Seeds were searched for: in few networks would one burst more in flight make a difference."""
    graph = random_layer_graph(np.random.default_rng([7, seed]), max_elements=8192)
    assert errors(graph, ACCELERATORS[name], MemoryModel(latency_cycles=200)) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_random_networks_on_random_accelerators_are_within_the_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = random_config(rng)
    found = [errors(random_layer_graph(rng, max_elements=2048), config, DEFAULT_MEMORY) for _ in range(20)]
    network, layer = np.max(found, axis=0)
    assert network <= NETWORK_ERROR
    assert layer <= LAYER_ERROR
