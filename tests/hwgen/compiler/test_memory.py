"""Memory planning: what stays on chip, no two live tensors overlap, and dead ones make room for later ones."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwgen.compiler.builder import Span
from hwgen.compiler.memory import ALIGNMENT, Rooms, chip_candidates, plan_memory
from hwgen.compiler.tiles import Place, Tile
from hwgen.config import AcceleratorConfig
from hwgen.graph import FullyConnected, Input, LayerGraph, MaxPool, Requantisation, Rounding, TensorType, Window
from hwgen.isa import Region
from tests.hwgen.random_graphs import add_layer, layer_graphs


@st.composite
def branching_graphs(draw: st.DrawFn) -> LayerGraph:
    """Layers of random sizes, each reading one or two random earlier ones (planning asks no more of them)."""
    graph = LayerGraph("branching", Input("input", TensorType((1, 1, 70), 1.0, 0)))
    names = ["input"]
    for index in range(draw(st.integers(1, 14))):
        output = TensorType((1, draw(st.integers(1, 9)), draw(st.integers(1, 90))), 1.0, 0)
        operands = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2))
        layer = MaxPool(f"layer{index}", output, Window((1, 1)))
        if len(operands) == 2:
            layer = add_layer(f"layer{index}", graph[operands[0]], graph[operands[1]], output, (-128, 127))
        names.append(graph.add(layer, *operands))
    return graph


def lifetimes(graph: LayerGraph) -> dict[str, tuple[int, int]]:
    order = [graph.input_name, *(layer.name for layer in graph.layers())]
    readers = {name: [order.index(reader) for reader in graph.digraph.successors(name)] for name in order}
    return {name: (index, max(readers[name], default=index)) for index, name in enumerate(order)}


def assert_apart(spans: dict[str, tuple[int, int]], lives: dict[str, tuple[int, int]]) -> None:
    for one, other in combinations(spans, 2):
        together = lives[one][0] <= lives[other][1] and lives[other][0] <= lives[one][1]
        apart = spans[one][1] <= spans[other][0] or spans[other][1] <= spans[one][0]
        assert apart or not together, (one, other)


def assert_sound(graph: LayerGraph, config: AcceleratorConfig, candidates: Collection[str]) -> None:
    """No two tensors that live at once overlap, nor does a layer's room for tiles and a tensor that stays on chip."""
    plan, lives = plan_memory(graph, config, candidates), lifetimes(graph)
    assert set(plan.homes) == set(lives)
    assert plan.homes[graph.input_name] == Place(Region.INPUT, 0)
    assert plan.homes[graph.output_name] == Place(Region.OUTPUT, 0)
    scratch: dict[str, tuple[int, int]] = {}
    on_chip: dict[str, tuple[int, int]] = {}
    for name, home in plan.homes.items():
        if isinstance(home, Tile):
            span = home.span(home.box.top, home.box.bottom)
            assert name in candidates
            assert span.end <= 2 * config.act_bank_bytes
            on_chip[name] = (span.start, span.end)
        elif home.region is Region.SCRATCH:
            assert home.offset % ALIGNMENT == 0
            assert home.offset + graph[name].output.elements <= plan.scratch_bytes
            scratch[name] = (home.offset, home.offset + graph[name].output.elements)
    assert_apart(scratch, lives)
    assert_apart(on_chip, lives)
    for layer, rooms in plan.rooms.items():
        position = lives[layer][0]
        live = {name: span for name, span in on_chip.items() if lives[name][0] <= position <= lives[name][1]}
        for index, room in enumerate((rooms.operands, rooms.results)):
            live[f"room{index}"] = (room.start, room.end)
        always = dict.fromkeys(live, (0, 0))
        assert_apart({name: span for name, span in live.items() if span[0] < span[1]}, always)


CONFIGS = st.sampled_from((4, 8, 64, 1024)).map(lambda kib: AcceleratorConfig(act_buffer_kib=kib))


@given(graph=branching_graphs(), config=CONFIGS, data=st.data())
def test_plans_of_branching_graphs_are_sound(graph: LayerGraph, config: AcceleratorConfig, data: st.DataObject) -> None:
    candidates = data.draw(st.sets(st.sampled_from(sorted(chip_candidates(graph)) or [""])))
    assert_sound(graph, config, candidates - {""})


@given(graph=layer_graphs(max_elements=512), config=CONFIGS)
def test_plans_of_random_networks_are_sound(graph: LayerGraph, config: AcceleratorConfig) -> None:
    assert_sound(graph, config, chip_candidates(graph))


def chain(layers: int, side: int = 8) -> LayerGraph:
    type_ = TensorType((side, side, 16), 1.0, 0)
    graph = LayerGraph("chain", Input("input", type_))
    for index in range(layers):
        graph.add(MaxPool(f"layer{index}", type_, Window((1, 1))), graph.output_name)
    return graph


def test_in_memory_a_chain_needs_room_for_two_tensors_only() -> None:
    elements = chain(9).output.output.elements
    assert plan_memory(chain(9), AcceleratorConfig(), ()).scratch_bytes == 2 * elements


def test_a_single_layer_needs_no_scratch() -> None:
    plan = plan_memory(chain(1), AcceleratorConfig(), chip_candidates(chain(1)))
    assert plan.scratch_bytes == 0
    assert list(plan.homes.values()) == [Place(Region.INPUT, 0), Place(Region.OUTPUT, 0)]


def test_a_tensor_keeps_its_place_until_its_last_reader() -> None:
    graph = chain(3)
    last = add_layer("sum", graph["layer2"], graph["layer0"], graph.output.output, (-128, 127))
    graph.add(last, "layer2", "layer0")
    plan = plan_memory(graph, AcceleratorConfig(), ())
    assert plan.scratch_bytes == 3 * graph.output.output.elements
    assert len({plan.homes[f"layer{i}"] for i in range(3)}) == 3


def test_intermediate_tensors_stay_on_chip_where_they_fit() -> None:
    graph = chain(5)
    plan = plan_memory(graph, AcceleratorConfig(), chip_candidates(graph))
    assert [isinstance(plan.homes[f"layer{i}"], Tile) for i in range(5)] == [True] * 4 + [False]
    assert plan.scratch_bytes == 0


def test_tensors_beyond_half_of_the_buffer_go_to_memory_and_leave_it_whole_for_tiles() -> None:
    graph, config = chain(3, side=48), AcceleratorConfig(act_buffer_kib=64)
    plan = plan_memory(graph, config, chip_candidates(graph))
    assert all(isinstance(home, Place) for home in plan.homes.values())
    half = config.act_bank_bytes
    assert plan.rooms["layer1"] == Rooms(Span(0, half), Span(half, 2 * half))


def test_what_a_product_flattens_from_several_rows_lies_in_memory_without_gaps() -> None:
    graph = chain(2)
    weights, bias = np.ones((3, 1024), np.int8), np.zeros(3, np.int32)
    scale = Requantisation(np.full(3, 1 << 30, np.int32), np.zeros(3, np.int32), Rounding.SINGLE)
    graph.add(FullyConnected("product", TensorType((1, 1, 3), 1.0, 0), weights, bias, scale), "layer1")
    assert chip_candidates(graph) == {"layer0"}
