"""Networks of one layer of a given shape, with random weights."""

from __future__ import annotations

from math import prod

import numpy as np

from hwgen.arithmetic import quantise_multiplier
from hwgen.graph import (
    Conv,
    Depthwise,
    FullyConnected,
    Input,
    Layer,
    LayerGraph,
    Requantisation,
    Rounding,
    TensorType,
    Window,
)

SPREAD = 73.0 * 74.0
"""Standard deviation of the product of a weight and an operand, both uniform."""


def single_layer(layer_type: type[Layer], shape: tuple[int, int, int], channels: int, window: Window) -> LayerGraph:
    """A layer of ``layer_type`` from a tensor of ``shape`` to ``channels``; fully connected ones ignore ``window``."""
    rng = np.random.default_rng(0)
    graph = LayerGraph("single", Input("input", TensorType(shape, 0.1, 3)))
    size = (1, 1) if layer_type is FullyConnected else window.output_size(*shape[:2])
    output = TensorType((*size, channels), 0.1, 3)
    weight_shapes = {
        Conv: (channels, *window.kernel, shape[2]),
        Depthwise: (*window.kernel, channels),
        FullyConnected: (channels, prod(shape)),
    }
    if layer_type not in weight_shapes:
        graph.add(layer_type("layer", output, window), "input")  # type: ignore[call-arg]
        return graph
    weights = rng.integers(-127, 128, weight_shapes[layer_type]).astype(np.int8)
    spread = SPREAD * np.sqrt(weights.size / channels)
    bias = rng.integers(-int(spread), int(spread), channels).astype(np.int32)
    multiplier, shift = quantise_multiplier(50.0 / spread)
    scale = Requantisation(np.full(channels, multiplier, np.int32), np.full(channels, shift, np.int32), Rounding.DOUBLE)
    if layer_type is FullyConnected:
        graph.add(FullyConnected("layer", output, weights, bias, scale), "input")
    else:
        graph.add(layer_type("layer", output, window, weights, bias, scale), "input")  # type: ignore[call-arg]
    return graph
