"""Networks without values: the LayerGraph's shapes, which are all that a cost model reads."""

from __future__ import annotations

import numpy as np
import torch

from hwgen.arithmetic import add_scales
from hwgen.graph import (
    Add,
    AveragePool,
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
from nas.calibrate import tensor_shape
from nas.spaces import Space
from nas.trace import INPUT, FloatAdd, FloatAveragePool, FloatConv, FloatLayer, FloatLinear, execute, trace


def outline(space: Space, architecture: str) -> LayerGraph:
    """The architecture's LayerGraph with all values zero, which take no memory.

    It costs what ``nas.quantise.structure`` does, and is there several times as fast; its outputs mean nothing.
    """
    layers = trace(space.build(architecture).eval())
    images = torch.zeros(1, space.image.channels, space.image.size, space.image.size)
    types = {name: TensorType(tensor_shape(value), 1.0, 0) for name, value in execute(layers, images)}
    graph = LayerGraph(f"{space.name}:{architecture}", Input(INPUT, types[INPUT]))
    for layer in layers:
        graph.add(_outlined(layer, types[layer.operands[0]], types[layer.name]), *layer.operands)
    return graph


def _outlined(layer: FloatLayer, operand: TensorType, output: TensorType) -> Layer:
    match layer:
        case FloatConv():
            channels, inputs, *kernel = layer.weight.shape
            bias, requantisation = _zeros(np.int32, channels), _nothing(channels, Rounding.DOUBLE)
            if layer.groups > 1:
                weights = _zeros(np.int8, *kernel, channels)
                return Depthwise(layer.name, output, layer.window, weights, bias, requantisation)
            weights = _zeros(np.int8, channels, *kernel, inputs)
            return Conv(layer.name, output, layer.window, weights, bias, requantisation)
        case FloatLinear():
            channels, inputs = layer.weight.shape
            weights, bias = _zeros(np.int8, channels, inputs), _zeros(np.int32, channels)
            return FullyConnected(layer.name, output, weights, bias, _nothing(channels, Rounding.SINGLE))
        case FloatAdd():
            return Add(layer.name, output, *add_scales(operand.scale, operand.scale, output.scale))
        case FloatAveragePool():
            height, width, _ = operand.shape
            return AveragePool(layer.name, output, layer.window or Window((height, width)))
    raise TypeError(f"layer {layer.name!r}: {type(layer).__name__} has no outline")


def _zeros(dtype: type[np.integer], *shape: int) -> np.ndarray:
    return np.broadcast_to(dtype(0), shape)


def _nothing(channels: int, rounding: Rounding) -> Requantisation:
    return Requantisation(_zeros(np.int32, channels), _zeros(np.int32, channels), rounding)
