"""Networks' costs composed of their layers', against the whole program's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen import cost_table
from hwgen.actions import ACTIONS, action_counts
from hwgen.compiler import CompileError, compile_graph
from hwgen.compiler.memory import chip_candidates, plan_key, plan_memory
from hwgen.config import PRESETS, AcceleratorConfig, Dataflow
from hwgen.cost_table import CostTable, Neighbours
from hwgen.cycles import predict
from hwgen.energy import EYERISS_65NM, energy_uj
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


def whole(graph: LayerGraph, configs: Sequence[AcceleratorConfig]) -> tuple[list[int], list[list[int]]]:
    """Cycles and actions of the compiled programs."""
    programs = [compile_graph(graph, config) for config in configs]
    cycles = [predict(program).cycles for program in programs]
    return cycles, [list(action_counts(program).values()) for program in programs]


@pytest.mark.parametrize("seed", range(5))
def test_a_network_of_which_nothing_is_known_is_modelled_whole(seed: int) -> None:
    """Layers differ from each other here, so that all are missing."""
    graph, configs = random_layer_graph(np.random.default_rng(seed), max_elements=1024), [SMALL, LARGE]
    composed = CostTable().costs(graph, configs)
    assert (composed.cycles.tolist(), composed.actions.tolist()) == whole(graph, configs)


def test_networks_of_known_layers_are_close_to_the_whole_in_cycles_and_equal_in_actions() -> None:
    table, configs = CostTable(), [SMALL, LARGE]
    for kernels in ((3, 3), (3, 1), (1, 3), (1, 1), (3, 3, 1), (3,), (1, 3, 1)):
        graph = residual_network(kernels)
        composed, (cycles, actions) = table.costs(graph, configs), whole(graph, configs)
        np.testing.assert_allclose(composed.cycles, cycles, rtol=0.01)
        assert composed.actions.tolist() == actions


def test_with_fewer_neighbours_cycles_are_further_off_and_actions_still_equal() -> None:
    table = CostTable(neighbours=Neighbours(before=1, after=0))
    for kernels in ((3, 3), (3, 1), (1, 1), (3,), (1, 3, 1)):
        graph = residual_network(kernels)
        composed, (cycles, actions) = table.costs(graph, [SMALL]), whole(graph, [SMALL])
        np.testing.assert_allclose(composed.cycles, cycles, rtol=0.03)
        assert composed.actions.tolist() == actions


def test_repeated_blocks_are_close_to_the_whole_where_weights_load_far_ahead(data_dir: Path) -> None:
    """The first of MobileNet's repetitions wait for weights that the later ones find loaded."""
    graph, config = read_tflite(data_dir / "models" / "vww_96_int8.tflite"), PRESETS["max256"]
    cycles, _ = whole(graph, [config])
    np.testing.assert_allclose(CostTable().costs(graph, [config]).cycles, cycles, rtol=0.01)


def test_what_is_known_is_not_modelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    table = CostTable()
    first = table.costs(residual_network((3, 1)), [LARGE, SMALL])
    monkeypatch.setattr(cost_table, "compile_layers", None)
    again = table.costs(residual_network((3, 1)), [LARGE, SMALL])
    assert (again.cycles.tolist(), again.actions.tolist()) == (first.cycles.tolist(), first.actions.tolist())


def test_any_number_of_accelerators_is_known_at_once() -> None:
    table, graph = CostTable(), single_layer(Conv, (6, 6, 3), 8, Window((3, 3)))
    configs = [replace(SMALL, rows=rows, dataflow=dataflow) for rows in range(2, 14) for dataflow in Dataflow]
    for accelerators in (configs[:5], configs, configs[::-1]):
        costs = table.costs(graph, accelerators)
        assert (costs.cycles.tolist(), costs.actions.tolist()) == whole(graph, accelerators)


def test_energy_is_that_of_each_accelerators_actions() -> None:
    costs = CostTable().costs(residual_network((3,)), [SMALL, LARGE])
    counts = [dict(zip(ACTIONS, row, strict=True)) for row in costs.actions.tolist()]
    expected = [energy_uj(*pair, EYERISS_65NM) for pair in zip(counts, (SMALL, LARGE), strict=True)]
    assert costs.energy_uj(EYERISS_65NM).tolist() == pytest.approx(expected)


def test_a_network_that_does_not_compile_costs_without_end() -> None:
    """2000 columns of 300 channels, all padding: the first operand lies half a megabyte before the row."""
    graph = single_layer(Conv, (1, 4, 300), 4, Window((1, 2000), (1, 1), (0, 0, 1998, 0)))
    with pytest.raises(CompileError):
        compile_graph(graph, LARGE)
    empty = LayerGraph("empty", Input("input", TensorType((1, 1, 1), 1.0, 0)))
    for impossible in (graph, empty):
        costs = CostTable().costs(impossible, [LARGE, SMALL])
        assert costs.cycles.tolist() == costs.energy_uj(EYERISS_65NM).tolist() == [np.inf, np.inf]


@pytest.mark.parametrize("seed", range(10))
def test_a_plan_depends_on_no_more_of_a_configuration_than_its_key(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_layer_graph(rng, max_elements=4096)
    plans: dict[tuple[int, int], object] = {}
    for _ in range(40):
        config = random_config(rng)
        plan = plan_memory(graph, config, chip_candidates(graph))
        assert plans.setdefault(plan_key(config), plan) == plan
