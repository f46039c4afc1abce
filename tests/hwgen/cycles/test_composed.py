"""Networks composed of their layers' cycles, against the whole program's."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest

from hwgen.compiler import CompileError, compile_graph
from hwgen.compiler.memory import chip_candidates, plan_key, plan_memory
from hwgen.config import PRESETS, AcceleratorConfig
from hwgen.cycles import CycleTable, composed, predict
from hwgen.graph import Conv, Input, LayerGraph, TensorType, Window
from hwgen.importers.tflite import read_tflite
from hwgen.networks.random_network import RandomNetwork
from tests.hwgen.random_configs import random_config
from tests.hwgen.random_graphs import random_layer_graph
from tests.hwgen.single_layers import single_layer

SMALL = AcceleratorConfig(rows=4, cols=4, requant_lanes=2, act_buffer_kib=8, weight_buffer_kib=4)
LARGE = AcceleratorConfig(rows=8, cols=8, requant_lanes=8, bus_bits=128)


def residual_network(kernels: Collection[int]) -> LayerGraph:
    """Two stages of four blocks, of a convolution per kernel and the addition of the block's input."""
    network = RandomNetwork("residual", (16, 16, 3), activation="RELU", seed=0)
    x = network.conv("stem", network.input, 16, kernel=3)
    for stage, channels in enumerate((16, 32)):
        x = network.conv(f"widen{stage}", x, channels, kernel=1, stride=1 + stage)
        for block in range(4):
            branch = x
            for index, kernel in enumerate(kernels):
                branch = network.conv(f"conv{stage}.{block}.{index}", branch, channels, kernel=kernel)
            x = network.add(f"add{stage}.{block}", branch, x, linear=False)
    network.fully_connected("classifier", network.global_average_pool("pool", x), 10)
    return network.graph


def whole(graph: LayerGraph, config: AcceleratorConfig) -> float:
    return predict(compile_graph(graph, config)).cycles


@pytest.mark.parametrize("seed", range(5))
def test_a_network_of_which_nothing_is_known_is_modelled_whole(seed: int) -> None:
    """Layers differ from each other here, so that all are missing."""
    graph = random_layer_graph(np.random.default_rng(seed), max_elements=1024)
    assert CycleTable().cycles(graph, [SMALL, LARGE]).tolist() == [whole(graph, config) for config in (SMALL, LARGE)]


def test_networks_of_known_layers_are_close_to_the_whole() -> None:
    table, configs = CycleTable(), [SMALL, LARGE]
    for kernels in ((3, 3), (3, 1), (1, 3), (1, 1), (3, 3, 1), (3,), (1, 3, 1)):
        graph = residual_network(kernels)
        np.testing.assert_allclose(
            table.cycles(graph, configs), [whole(graph, config) for config in configs], rtol=0.01
        )


def test_repeated_blocks_are_close_to_the_whole_where_weights_load_far_ahead(data_dir: Path) -> None:
    """The first of MobileNet's repetitions wait for weights that the later ones find loaded."""
    graph, config = read_tflite(data_dir / "models" / "vww_96_int8.tflite"), PRESETS["max256"]
    np.testing.assert_allclose(CycleTable().cycles(graph, [config]), [whole(graph, config)], rtol=0.01)


def test_what_is_known_is_not_modelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    table = CycleTable()
    first = table.cycles(residual_network((3, 1)), [LARGE, SMALL])
    monkeypatch.setattr(composed, "compile_layers", None)
    assert table.cycles(residual_network((3, 1)), [LARGE, SMALL]).tolist() == first.tolist()


def test_a_network_that_does_not_compile_takes_forever() -> None:
    """2000 columns of 300 channels, all padding: the first operand lies half a megabyte before the row."""
    graph = single_layer(Conv, (1, 4, 300), 4, Window((1, 2000), (1, 1), (0, 0, 1998, 0)))
    with pytest.raises(CompileError):
        compile_graph(graph, LARGE)
    empty = LayerGraph("empty", Input("input", TensorType((1, 1, 1), 1.0, 0)))
    for impossible in (graph, empty):
        assert CycleTable().cycles(impossible, [LARGE, SMALL]).tolist() == [np.inf, np.inf]


@pytest.mark.parametrize("seed", range(10))
def test_a_plan_depends_on_no_more_of_a_configuration_than_its_key(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_layer_graph(rng, max_elements=4096)
    plans: dict[tuple[int, int], object] = {}
    for _ in range(40):
        config = random_config(rng)
        plan = plan_memory(graph, config, chip_candidates(graph))
        assert plans.setdefault(plan_key(config), plan) == plan
