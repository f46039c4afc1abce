"""Whether a layer can be computed: its numbers are within the hardware's ranges, and it fits its operands."""

from __future__ import annotations

from math import inf, prod

import numpy as np

from hwgen.graph import (
    INT8_MAX,
    INT8_MIN,
    Add,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Layer,
    MaxPool,
    Scale,
    Window,
)

MULTIPLIER_MAX = 2**31 - 1
SHIFT_MIN, SHIFT_MAX = -31, 30


def check_layer(layer: Layer, operands: tuple[Layer, ...]) -> None:
    """Raises ValueError, in one sentence, where ``layer`` cannot be computed from the outputs of ``operands``."""
    check_output(layer)
    match layer:
        case Conv() | Depthwise():
            _check_window(layer, layer.window)
            _check_clamp(layer, "input_clamp", layer.input_clamp)
        case FullyConnected():
            _check_clamp(layer, "input_clamp", layer.input_clamp)
        case AveragePool() | MaxPool():
            _check_window(layer, layer.window)
        case Add():
            for scale in (*layer.operand_scales, layer.output_scale):
                _check_scale(layer, scale)
    if not _fits(layer, operands):
        raise ValueError(f"layer {layer.name!r} does not fit its operands")
    match layer:
        case Conv() | Depthwise() | FullyConnected():
            factors = layer.requantisation
            for multiplier, shift in zip(factors.multiplier.tolist(), factors.shift.tolist(), strict=True):
                _check_scale(layer, Scale(multiplier, shift))
        case AveragePool() | MaxPool():
            _check_every_window_has_a_value(layer, layer.window, operands[0].output.shape)


def check_output(layer: Layer) -> None:
    """Raises ValueError, in one sentence, where the output's type or clamp is none that an int8 tensor can have."""
    output = layer.output
    _require(layer, min(output.shape) >= 1, f"an output of shape {output.shape}", "at least 1 each")
    _require(layer, 0 < output.scale < inf, f"scale {output.scale}", "a positive number")
    _require(layer, INT8_MIN <= output.zero_point <= INT8_MAX, f"zero point {output.zero_point}", "-128 to 127")
    _check_clamp(layer, "clamp", layer.clamp)


def _require(layer: Layer, holds: bool, found: str, accepted: str) -> None:
    if not holds:
        raise ValueError(f"layer {layer.name!r} has {found}; accepted: {accepted}")


def _check_clamp(layer: Layer, name: str, clamp: tuple[int, int]) -> None:
    low, high = clamp
    _require(layer, INT8_MIN <= low <= high <= INT8_MAX, f"{name} {clamp}", "two ordered bounds within -128 to 127")


def _check_window(layer: Layer, window: Window) -> None:
    _require(layer, min(window.kernel) >= 1, f"kernel {window.kernel}", "at least 1 each")
    _require(layer, min(window.stride) >= 1, f"stride {window.stride}", "at least 1 each")
    _require(layer, min(window.padding) >= 0, f"padding {window.padding}", "at least 0 each")


def _check_scale(layer: Layer, scale: Scale) -> None:
    _require(layer, 0 <= scale.multiplier <= MULTIPLIER_MAX, f"multiplier {scale.multiplier}", "0 to 2**31 - 1")
    _require(layer, SHIFT_MIN <= scale.shift <= SHIFT_MAX, f"shift {scale.shift}", f"{SHIFT_MIN} to {SHIFT_MAX}")


def _check_every_window_has_a_value(layer: Layer, window: Window, shape: tuple[int, int, int]) -> None:
    """A mean or a maximum of padding alone is not defined; the first and the last window are those furthest out."""
    top, _, left, _ = window.padding
    for size, kernel, stride, before, outputs in zip(
        shape[:2], window.kernel, window.stride, (top, left), layer.output.shape[:2], strict=True
    ):
        some_value = before < kernel and (outputs - 1) * stride - before < size
        _require(layer, some_value, f"padding {window.padding}", "no window wholly in the padding")


def _fits(layer: Layer, operands: tuple[Layer, ...]) -> bool:
    """Whether the shapes and types of the layer's arrays and of its operands are those that its output needs."""
    if len(operands) != (2 if isinstance(layer, Add) else 1):
        return False
    shape, channels = operands[0].output.shape, layer.output.shape[2]
    match layer:
        case Add():
            return shape == operands[1].output.shape == layer.output.shape
        case AveragePool() | MaxPool():
            return layer.output.shape == (*layer.window.output_size(*shape[:2]), shape[2])
        case Conv():
            weights_shape: tuple[int, ...] = (channels, *layer.window.kernel, shape[2])
            size = layer.window.output_size(*shape[:2])
        case Depthwise():
            weights_shape = (*layer.window.kernel, channels)
            size = layer.window.output_size(*shape[:2]) if channels % shape[2] == 0 else (0, 0)
        case FullyConnected():
            weights_shape, size = (channels, prod(shape)), (1, 1)
        case _:
            return False
    return (
        layer.output.shape[:2] == size
        and _is_array(layer.weights, np.dtype(np.int8), weights_shape)
        and _is_array(layer.bias, np.dtype(np.int32), (channels,))
        and _is_array(layer.requantisation.multiplier, np.dtype(np.int32), (channels,))
        and _is_array(layer.requantisation.shift, np.dtype(np.int32), (channels,))
    )


def _is_array(array: np.ndarray, dtype: np.dtype, shape: tuple[int, ...]) -> bool:
    return array.dtype == dtype and array.shape == shape
