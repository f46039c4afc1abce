"""The reference against each layer's definition, written as plain loops in Python integers."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from hwgen.arithmetic import multiply_by_quantised_multiplier, rounding_divide
from hwgen.errors import InputError
from hwgen.graph import (
    INT8_MAX,
    INT8_MIN,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Input,
    LayerGraph,
    MaxPool,
    Requantisation,
    Rounding,
    TensorType,
    Window,
)
from hwgen.reference import run, run_layer, run_layers
from tests.hwgen.random_graphs import layer_graphs, random_input, random_layer_graph

IDENTITY = Requantisation(np.array([2**30], np.int32), np.array([1], np.int32), Rounding.DOUBLE)


def scaled(accumulator: int, requantisation: Requantisation, channel: int) -> int:
    factors = (int(requantisation.multiplier[channel]), int(requantisation.shift[channel]))
    return int(multiply_by_quantised_multiplier(np.array([accumulator]), *factors, requantisation.rounding)[0])


def valid_positions(window: Window, height: int, width: int, row: int, column: int):
    """(kernel row, kernel column, input row, input column) of each position that lies inside the input."""
    for i, j in product(range(window.kernel[0]), range(window.kernel[1])):
        y, x = row * window.stride[0] + i - window.padding[0], column * window.stride[1] + j - window.padding[2]
        if 0 <= y < height and 0 <= x < width:
            yield i, j, y, x


def element(layer, operand_type: TensorType, x: np.ndarray, row: int, column: int, channel: int) -> int:
    """One output before the clamp, from the definition of the layer."""
    height, width, depth = operand_type.shape
    if isinstance(layer, AveragePool | MaxPool):
        values = [int(x[y, z, channel]) for _, _, y, z in valid_positions(layer.window, height, width, row, column)]
        return max(values) if isinstance(layer, MaxPool) else int(rounding_divide(np.array(sum(values)), len(values)))
    offsets = np.clip(x, *layer.input_clamp).astype(int) - operand_type.zero_point
    accumulator = int(layer.bias[channel])
    if isinstance(layer, FullyConnected):
        accumulator += int(offsets.reshape(-1) @ layer.weights[channel].astype(int))
    elif isinstance(layer, Conv):
        for i, j, y, z in valid_positions(layer.window, height, width, row, column):
            accumulator += int(offsets[y, z] @ layer.weights[channel, i, j].astype(int))
    elif isinstance(layer, Depthwise):
        source = channel // (layer.weights.shape[2] // depth)
        for i, j, y, z in valid_positions(layer.window, height, width, row, column):
            accumulator += int(offsets[y, z, source]) * int(layer.weights[i, j, channel])
    return scaled(accumulator, layer.requantisation, channel) + layer.output.zero_point


@settings(max_examples=60)
@given(layer_graphs(max_elements=400))
def test_every_element_of_every_layer_is_what_its_definition_says(graph: LayerGraph) -> None:
    tensors = run_layers(graph, random_input(np.random.default_rng(1), graph))
    for layer in graph.layers():
        if layer.op == "add":
            continue
        (operand,) = graph.operands(layer)
        x = tensors[operand.name][0]
        for index in product(*map(range, layer.output.shape)):
            expected = min(max(element(layer, operand.output, x, *index), layer.clamp[0]), layer.clamp[1])
            assert tensors[layer.name][0][index] == expected, (layer.name, index)


@settings(max_examples=60)
@given(layer_graphs(max_elements=1000))
def test_images_of_a_batch_do_not_affect_each_other(graph: LayerGraph) -> None:
    images = random_input(np.random.default_rng(2), graph, 3)
    assert np.array_equal(run(graph, images), np.concatenate([run(graph, image[None]) for image in images]))


def test_batches_beyond_the_internal_batch_are_whole_and_in_order() -> None:
    graph = random_layer_graph(np.random.default_rng(5), max_elements=64, layers=1, kinds=("conv",))
    images = random_input(np.random.default_rng(3), graph, 150)
    assert np.array_equal(run(graph, images), run_layers(graph, images)[graph.output_name])


def test_no_images_give_no_outputs() -> None:
    graph = random_layer_graph(np.random.default_rng(6), max_elements=64)
    assert run(graph, random_input(np.random.default_rng(0), graph, 0)).shape == (0, *graph.output.output.shape)


def test_accumulators_beyond_24_bits_stay_exact() -> None:
    """The worst operands of a long dot product: float32 would lose the last unit."""
    depth = 2049
    operand = TensorType((1, 1, depth), 1.0, INT8_MIN)
    weights = np.full((1, depth), INT8_MAX, np.int8)
    total = 255 * INT8_MAX * depth
    layer = FullyConnected("fc", TensorType((1, 1, 1), 1.0, 0), weights, np.array([1 - total], np.int32), IDENTITY)
    x = np.full((1, 1, 1, depth), INT8_MAX, np.int8)
    assert run_layer(layer, (operand,), (x,)).item() == 1


@pytest.mark.parametrize(
    "x", [np.zeros((1, 2, 2, 3), np.uint8), np.zeros((1, 2, 3, 2), np.int8), np.zeros((2, 2, 3), np.int8)]
)
def test_inputs_of_another_type_or_shape_are_refused(x: np.ndarray) -> None:
    graph = LayerGraph("pool", Input("input", TensorType((2, 2, 3), 1.0, 0)))
    graph.add(MaxPool("max", TensorType((1, 1, 3), 1.0, 0), Window((2, 2))), "input")
    with pytest.raises(InputError, match=r"input: .* does not fit; accepted: int8 N x 2 x 2 x 3"):
        run(graph, x)
