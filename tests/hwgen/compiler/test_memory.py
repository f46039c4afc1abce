"""Memory planning: no two tensors that live at once overlap, and dead tensors make room for later ones."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwgen.compiler.memory import ALIGNMENT, plan_tensors
from hwgen.graph import Input, LayerGraph, MaxPool, TensorType, Window
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


def assert_no_overlap(graph: LayerGraph) -> None:
    places, scratch_bytes = plan_tensors(graph)
    order = [graph.input_name, *(layer.name for layer in graph.layers())]
    assert places[graph.input_name].region is Region.INPUT
    assert places[graph.output_name].region is Region.OUTPUT
    spans, lives = {}, {}
    for index, name in enumerate(order):
        readers = [order.index(reader) for reader in graph.digraph.successors(name)]
        lives[name] = (index, max(readers, default=index))
        if places[name].region is Region.SCRATCH:
            start, size = places[name].offset, graph[name].output.elements
            assert start % ALIGNMENT == 0
            assert start + size <= scratch_bytes
            spans[name] = (start, start + size)
    for one, other in combinations(spans, 2):
        together = lives[one][0] <= lives[other][1] and lives[other][0] <= lives[one][1]
        apart = spans[one][1] <= spans[other][0] or spans[other][1] <= spans[one][0]
        assert apart or not together, (one, other)


@given(graph=branching_graphs())
def test_live_tensors_do_not_overlap_in_branching_graphs(graph: LayerGraph) -> None:
    assert_no_overlap(graph)


@given(graph=layer_graphs(max_elements=512))
def test_live_tensors_do_not_overlap_in_random_networks(graph: LayerGraph) -> None:
    assert_no_overlap(graph)


def chain(layers: int) -> LayerGraph:
    type_ = TensorType((8, 8, 16), 1.0, 0)
    graph = LayerGraph("chain", Input("input", type_))
    for index in range(layers):
        graph.add(MaxPool(f"layer{index}", type_, Window((1, 1))), graph.output_name)
    return graph


def test_a_chain_needs_room_for_two_tensors_only() -> None:
    elements = chain(9).output.output.elements
    assert plan_tensors(chain(9))[1] == 2 * elements


def test_a_single_layer_needs_no_scratch() -> None:
    places, scratch_bytes = plan_tensors(chain(1))
    assert scratch_bytes == 0
    assert {place.region for place in places.values()} == {Region.INPUT, Region.OUTPUT}


def test_a_tensor_keeps_its_place_until_its_last_reader() -> None:
    graph = chain(3)
    last = add_layer("sum", graph["layer2"], graph["layer0"], graph.output.output, (-128, 127))
    graph.add(last, "layer2", "layer0")
    assert plan_tensors(graph)[1] == 3 * graph.output.output.elements
    assert np.unique([plan_tensors(graph)[0][f"layer{i}"].offset for i in range(3)]).size == 3
