"""The bit-exact NumPy reference: what every layer of a LayerGraph computes, on batches of images.

This is the definition that the RTL is held to, and itself is held to the LiteRT interpreter's reference kernels. Dot
products run as floating-point matrix products only where every partial sum is an exactly representable integer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.arithmetic import ADD_LEFT_SHIFT, multiply_by_quantised_multiplier, rounding_divide
from hwgen.errors import InputError
from hwgen.graph import (
    INT8_MIN,
    Add,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Layer,
    LayerGraph,
    MaxPool,
    Requantisation,
    Rounding,
    Scale,
    TensorType,
    Window,
)

IMAGES_PER_BATCH = 32
COLUMN_ELEMENTS = 1 << 22
"""The most elements of an im2col matrix held at once."""


def run(graph: LayerGraph, x: np.ndarray) -> np.ndarray:
    """The network's output, int8 [N, h, w, c], for int8 ``x`` [N, H, W, C] in the network's input quantisation.

    Raises InputError where ``x`` is not int8 or not of the input's shape.
    """
    _check_input(graph, x)
    batches = range(0, max(len(x), 1), IMAGES_PER_BATCH)
    return np.concatenate([run_layers(graph, x[i : i + IMAGES_PER_BATCH])[graph.output_name] for i in batches])


def run_layers(graph: LayerGraph, x: np.ndarray) -> dict[str, np.ndarray]:
    """Every layer's output (the input included) by name, int8 [N, h, w, c]; ``x`` and errors as for ``run``."""
    _check_input(graph, x)
    tensors = {graph.input_name: x}
    for layer in graph.layers():
        operands = graph.operands(layer)
        tensors[layer.name] = run_layer(
            layer, tuple(operand.output for operand in operands), tuple(tensors[operand.name] for operand in operands)
        )
    return tensors


def run_layer(layer: Layer, types: tuple[TensorType, ...], operands: tuple[np.ndarray, ...]) -> np.ndarray:
    """One layer's output, int8 [N, h, w, c], for its ``operands`` (int8 [N, H, W, C], of the given ``types``)."""
    match layer:
        case Conv():
            result = _scale(_conv(layer, types[0], operands[0]), layer.requantisation) + layer.output.zero_point
        case Depthwise():
            result = _scale(_depthwise(layer, types[0], operands[0]), layer.requantisation) + layer.output.zero_point
        case FullyConnected():
            accumulators = _fully_connected(layer, types[0], operands[0])
            result = _scale(accumulators, layer.requantisation) + layer.output.zero_point
        case Add():
            result = _add(layer, types, operands)
        case AveragePool():
            result = _average_pool(layer.window, operands[0])
        case MaxPool():
            result = _windows_reduced(layer.window, operands[0], INT8_MIN, np.maximum)
        case _:
            raise TypeError(f"layer {layer.name!r}: no reference for {type(layer).__name__}")
    return np.clip(result, *layer.clamp).astype(np.int8).reshape(-1, *layer.output.shape)


def _check_input(graph: LayerGraph, x: np.ndarray) -> None:
    shape = graph.input.output.shape
    if x.dtype != np.int8 or x.shape[1:] != shape:
        expected = " x ".join(map(str, ("N", *shape)))
        raise InputError(f"input: {x.dtype} {' x '.join(map(str, x.shape))} does not fit; accepted: int8 {expected}")


def _scale(accumulators: np.ndarray, requantisation: Requantisation) -> np.ndarray:
    return multiply_by_quantised_multiplier(
        accumulators, requantisation.multiplier, requantisation.shift, requantisation.rounding
    )


def _offsets(x: np.ndarray, type_: TensorType, clamp: tuple[int, int], dtype: type[np.number]) -> np.ndarray:
    """``x`` clamped as it is loaded, less its zero point."""
    return np.clip(x, *clamp).astype(dtype) - dtype(type_.zero_point)


def _padded(x: np.ndarray, window: Window, value: int) -> np.ndarray:
    top, bottom, left, right = window.padding
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=value)


def _taps(x: np.ndarray, window: Window) -> list[np.ndarray]:
    """For each kernel position, row by row, the view of padded ``x`` that it reads: [N, h, w, C] each."""
    height = (x.shape[1] - window.kernel[0]) // window.stride[0] + 1
    width = (x.shape[2] - window.kernel[1]) // window.stride[1] + 1
    return [
        x[
            :,
            row : row + (height - 1) * window.stride[0] + 1 : window.stride[0],
            column : column + (width - 1) * window.stride[1] + 1 : window.stride[1],
        ]
        for row in range(window.kernel[0])
        for column in range(window.kernel[1])
    ]


def _exact_float(weights: np.ndarray) -> type[np.floating]:
    """The narrowest float in which dot products of int8 offsets (magnitude <= 255) with rows of ``weights`` are exact.

    Every partial sum is an integer of at most 255 * sum |w|, whatever the order of the additions.
    """
    largest = 255 * int(np.abs(weights.astype(np.int64)).reshape(len(weights), -1).sum(axis=1).max())
    return np.float32 if largest < 2**24 else np.float64


def _conv(layer: Conv, type_: TensorType, x: np.ndarray) -> np.ndarray:
    """int64 accumulators [N, h, w, out]."""
    dtype = _exact_float(layer.weights)
    matrix = layer.weights.reshape(len(layer.weights), -1).T.astype(dtype)
    height, width, _ = layer.output.shape
    images = max(1, COLUMN_ELEMENTS // (height * width * len(matrix)))
    accumulators = np.empty((len(x), height, width, len(layer.weights)), np.int64)
    for start in range(0, len(x), images):
        block = _padded(_offsets(x[start : start + images], type_, layer.input_clamp, dtype), layer.window, 0)
        columns = np.stack(_taps(block, layer.window), axis=3)
        products = columns.reshape(-1, len(matrix)) @ matrix
        accumulators[start : start + images] = products.reshape(len(block), height, width, -1)
    return accumulators + layer.bias


def _depthwise(layer: Depthwise, type_: TensorType, x: np.ndarray) -> np.ndarray:
    """int32 accumulators [N, h, w, out]."""
    offsets = _padded(_offsets(x, type_, layer.input_clamp, np.int32), layer.window, 0)
    channels = layer.weights.shape[2]
    offsets = np.repeat(offsets, channels // offsets.shape[3], axis=3)
    weights = layer.weights.astype(np.int32).reshape(-1, channels)
    accumulators = np.zeros((len(x), *layer.output.shape), np.int32)
    for tap, tap_weights in zip(_taps(offsets, layer.window), weights, strict=True):
        accumulators += tap * tap_weights
    return accumulators + layer.bias


def _fully_connected(layer: FullyConnected, type_: TensorType, x: np.ndarray) -> np.ndarray:
    """int64 accumulators [N, out]."""
    dtype = _exact_float(layer.weights)
    offsets = _offsets(x, type_, layer.input_clamp, dtype).reshape(len(x), type_.elements)
    return (offsets @ layer.weights.T.astype(dtype)).astype(np.int64) + layer.bias


def _add(layer: Add, types: tuple[TensorType, ...], operands: tuple[np.ndarray, ...]) -> np.ndarray:
    def scaled(value: np.ndarray, scale: Scale) -> np.ndarray:
        return multiply_by_quantised_multiplier(value, scale.multiplier, scale.shift, Rounding.DOUBLE)

    total = sum(
        scaled((x.astype(np.int64) - type_.zero_point) << ADD_LEFT_SHIFT, scale)
        for x, type_, scale in zip(operands, types, layer.operand_scales, strict=True)
    )
    return scaled(np.asarray(total), layer.output_scale) + layer.output.zero_point


def _windows_reduced(
    window: Window, x: np.ndarray, padding_value: int, reduce: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    taps = _taps(_padded(x, window, padding_value), window)
    result = taps[0]
    for tap in taps[1:]:
        result = reduce(result, tap)
    return result


def _average_pool(window: Window, x: np.ndarray) -> np.ndarray:
    totals = _windows_reduced(window, x.astype(np.int32), 0, np.add)
    valid = np.ones((1, *x.shape[1:3], 1), np.int32)
    return rounding_divide(totals, _windows_reduced(window, valid, 0, np.add))
