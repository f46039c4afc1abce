"""How each TensorFlow Lite operator becomes a layer, with the scales that its reference kernel would prepare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from hwgen.arithmetic import output_clamp, quantise_multiplier
from hwgen.errors import ModelFileError, UnsupportedOperatorError
from hwgen.graph import (
    INT8_MAX,
    INT8_MIN,
    Add,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    MaxPool,
    Requantisation,
    Rounding,
    Scale,
    TensorType,
    Window,
)
from hwgen.importers.flatbuffer import OperatorRecord
from hwgen.importers.translation import Translation, Value, label, option

SAME, VALID = 0, 1
"""Padding's values in the file."""
POOL_SCALE_TOLERANCE = 1e-6
"""By how much the scales of a pool's input and output may differ: pools do not rescale."""


@dataclass(frozen=True)
class Translator:
    """How one operator is translated, and how many operands it may have."""

    translate: Callable[[Translation, OperatorRecord], Value]
    least_operands: int
    most_operands: int


def _scale(operator: OperatorRecord, real: float) -> Scale:
    if not 0.0 <= real < 2.0**30:
        raise ModelFileError(f"{label(operator)} rescales by {real:g}; accepted: under 2**30")
    return Scale(*quantise_multiplier(real))


def _requantisation(operator: OperatorRecord, reals: np.ndarray, rounding: Rounding) -> Requantisation:
    scales = [_scale(operator, float(real)) for real in reals]
    return Requantisation(
        np.array([scale.multiplier for scale in scales], np.int32),
        np.array([scale.shift for scale in scales], np.int32),
        rounding,
    )


def _same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding before and after under SAME; an odd total has the larger half after."""
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


def _window(operator: OperatorRecord, value: Value, kernel: tuple[int, int]) -> Window:
    """The operator's window over the (padded) value, every padding made explicit."""
    stride = (option(operator, "StrideH"), option(operator, "StrideW"))
    if min(*stride, *kernel) < 1:
        raise ModelFileError(f"{label(operator)} has kernel {kernel} and stride {stride}; accepted: at least 1")
    height, width, _ = value.shape
    top, bottom, left, right = value.padding
    if option(operator, "Padding") == SAME:
        above, below = _same_padding(height, kernel[0], stride[0])
        before, after = _same_padding(width, kernel[1], stride[1])
        top, bottom, left, right = top + above, bottom + below, left + before, right + after
    elif option(operator, "Padding") != VALID:
        raise ModelFileError(f"{label(operator)} has padding {option(operator, 'Padding')}; accepted: SAME, VALID")
    elif kernel[0] > height or kernel[1] > width:
        raise ModelFileError(f"{label(operator)} has kernel {kernel}, larger than its {height} x {width} operand")
    return Window(kernel, stride, (top, bottom, left, right))


def _output_type(translation: Translation, operator: OperatorRecord, window: Window, channels: int) -> TensorType:
    """The result's type, its shape computed rather than taken from the file, which may be wrong."""
    height, width, _ = translation.value(operator, 0).layer.output.shape
    return replace(translation.output_type(operator), shape=(*window.output_size(height, width), channels))


def _check_dilation(operator: OperatorRecord) -> None:
    dilation = (option(operator, "DilationHFactor"), option(operator, "DilationWFactor"))
    if dilation != (1, 1):
        raise UnsupportedOperatorError(f"{label(operator)} has dilation {dilation[0]} x {dilation[1]}; accepted: 1 x 1")


def _real_factors(value: Value, weight_scales: np.ndarray, output: TensorType, channels: int) -> np.ndarray:
    """The real factor of each channel's accumulators, in double precision as LiteRT prepares it."""
    scales = value.layer.output.scale * weight_scales.astype(np.float64) / output.scale
    return np.broadcast_to(scales, channels)


def _conv(translation: Translation, operator: OperatorRecord) -> Value:
    value = translation.image(operator, 0)
    weights, weight_scales = translation.weights(operator, channel_axis=0, rank=4)
    channels, height, width, depth = weights.shape
    if depth != value.shape[2]:
        raise UnsupportedOperatorError(
            f"{label(operator)} reads {depth} of {value.shape[2]} channels per group; accepted: ungrouped convolutions"
        )
    _check_dilation(operator)
    window = _window(operator, value, (height, width))
    output = _output_type(translation, operator, window, channels)
    layer = Conv(
        f"conv_{operator.index}",
        output,
        window,
        weights,
        translation.bias(operator, channels),
        _requantisation(operator, _real_factors(value, weight_scales, output, channels), Rounding.DOUBLE),
        clamp=translation.clamp(operator, output),
    )
    return translation.append(layer, value.layer)


def _depthwise(translation: Translation, operator: OperatorRecord) -> Value:
    value = translation.image(operator, 0)
    weights, weight_scales = translation.weights(operator, channel_axis=3, rank=4)
    _, height, width, channels = weights.shape
    if weights.shape[0] != 1 or channels % value.shape[2] != 0:
        raise ModelFileError(f"{label(operator)} has weights {weights.shape} for {value.shape[2]} channels")
    _check_dilation(operator)
    window = _window(operator, value, (height, width))
    output = _output_type(translation, operator, window, channels)
    layer = Depthwise(
        f"depthwise_{operator.index}",
        output,
        window,
        weights[0],
        translation.bias(operator, channels),
        _requantisation(operator, _real_factors(value, weight_scales, output, channels), Rounding.DOUBLE),
        clamp=translation.clamp(operator, output),
    )
    return translation.append(layer, value.layer)


def _fully_connected(translation: Translation, operator: OperatorRecord) -> Value:
    value = translation.unpadded(operator, translation.on_chip(operator, translation.value(operator, 0)))
    weights, weight_scales = translation.weights(operator, channel_axis=0, rank=2)
    channels, depth = weights.shape
    if depth != prod(value.shape):
        raise UnsupportedOperatorError(
            f"{label(operator)} multiplies {prod(value.shape)} elements by rows of {depth}; accepted: one row, batch 1"
        )
    if option(operator, "WeightsFormat") != 0:
        raise UnsupportedOperatorError(f"{label(operator)} has shuffled weights; accepted: the default format")
    output = replace(translation.output_type(operator), shape=(1, 1, channels))
    layer = FullyConnected(
        f"fully_connected_{operator.index}",
        output,
        weights,
        translation.bias(operator, channels),
        _requantisation(operator, _real_factors(value, weight_scales, output, channels), Rounding.SINGLE),
        clamp=translation.clamp(operator, output),
    )
    return translation.append(layer, value.layer)


def _unit_depthwise(
    translation: Translation, operator: OperatorRecord, window: Window, scale: Scale, clamp: tuple[int, int]
) -> Value:
    """A depthwise convolution that sums each channel over the window and scales the sum."""
    value = translation.unpadded(operator, translation.image(operator, 0))
    channels = value.shape[2]
    layer = Depthwise(
        f"{operator.name.lower()}_{operator.index}",
        _output_type(translation, operator, window, channels),
        window,
        np.ones((*window.kernel, channels), np.int8),
        np.zeros(channels, np.int32),
        Requantisation(
            np.full(channels, scale.multiplier, np.int32), np.full(channels, scale.shift, np.int32), Rounding.DOUBLE
        ),
        clamp=clamp,
    )
    return translation.append(layer, value.layer)


def _mean(translation: Translation, operator: OperatorRecord) -> Value:
    value = translation.image(operator, 0)
    rank = len(translation.tensors[operator.inputs[0]].shape)
    axes = translation.constant(operator, 1, "INT32")
    if rank != 4 or {int(axis) % 4 for axis in axes.flat} != {1, 2}:
        raise UnsupportedOperatorError(f"{label(operator)} averages over {axes.tolist()}; accepted: height and width")
    height, width, _ = value.shape
    scale = _scale(operator, value.layer.output.scale / translation.output_type(operator).scale)
    # The kernel divides the multiplier by the number of elements, keeping as many of its bits as fit.
    elements = height * width
    spare = min(elements.bit_length() - 1, 31 + scale.shift)
    divided = Scale((scale.multiplier << spare) // elements, scale.shift - spare)
    return _unit_depthwise(translation, operator, Window((height, width)), divided, (INT8_MIN, INT8_MAX))


def _rescale(translation: Translation, operator: OperatorRecord) -> Value:
    """A standalone activation, or a change of quantisation."""
    operand = translation.image(operator, 0).layer.output
    output = translation.output_type(operator)
    scale = _scale(operator, operand.scale / output.scale)
    activation = "NONE" if operator.name == "QUANTIZE" else operator.name
    clamp = output_clamp(activation, output.scale, output.zero_point)
    return _unit_depthwise(translation, operator, Window((1, 1)), scale, clamp)


def _add(translation: Translation, operator: OperatorRecord) -> Value:
    left, right = (translation.unpadded(operator, translation.image(operator, operand)) for operand in (0, 1))
    if left.shape != right.shape:
        raise UnsupportedOperatorError(f"{label(operator)} adds {left.shape} and {right.shape}; accepted: equal shapes")
    output = translation.output_type(operator)
    twice_largest = 2.0 * max(left.layer.output.scale, right.layer.output.scale)
    layer = Add(
        f"add_{operator.index}",
        replace(output, shape=left.shape),
        (
            _scale(operator, left.layer.output.scale / twice_largest),
            _scale(operator, right.layer.output.scale / twice_largest),
        ),
        _scale(operator, twice_largest / (2.0**20 * output.scale)),
        clamp=translation.clamp(operator, output),
    )
    if layer.output_scale.shift > 0:
        raise ModelFileError(
            f"{label(operator)} rescales its sum by more than 1; accepted: output scales not that small"
        )
    return translation.append(layer, left.layer, right.layer)


def _pool(translation: Translation, operator: OperatorRecord) -> Value:
    value = translation.unpadded(operator, translation.image(operator, 0))
    operand = value.layer.output
    window = _window(operator, value, (option(operator, "FilterHeight"), option(operator, "FilterWidth")))
    output = _output_type(translation, operator, window, operand.shape[2])
    if operand.zero_point != output.zero_point or abs(operand.scale - output.scale) > POOL_SCALE_TOLERANCE:
        raise ModelFileError(
            f"{label(operator)} has an operand and a result of different quantisation; accepted: alike"
        )
    layer_type, kind = POOLS[operator.name]
    layer = layer_type(
        f"{kind}_{operator.index}",
        output,
        window,
        clamp=translation.clamp(operator, output),
    )
    return translation.append(layer, value.layer)


POOLS: dict[str, tuple[type[AveragePool] | type[MaxPool], str]] = {
    "AVERAGE_POOL_2D": (AveragePool, "average_pool"),
    "MAX_POOL_2D": (MaxPool, "max_pool"),
}


def _pad(translation: Translation, operator: OperatorRecord) -> Value:
    value = translation.image(operator, 0)
    table = translation.tensors[operator.inputs[1]]
    paddings = translation.constant(operator, 1, "INT64" if table.dtype == "INT64" else "INT32")
    if paddings.shape != (4, 2) or paddings.min() < 0:
        raise ModelFileError(f"{label(operator)} has paddings of shape {paddings.shape}; accepted: 4 x 2, not negative")
    if paddings[0].any() or paddings[3].any():
        raise UnsupportedOperatorError(f"{label(operator)} pads batch or channels; accepted: height and width")
    if len(operator.inputs) == 3 and translation.constant(operator, 2, "INT8").tolist() not in (
        value.layer.output.zero_point,
        [value.layer.output.zero_point],
    ):
        raise UnsupportedOperatorError(f"{label(operator)} pads with other values than zero; accepted: the zero point")
    _check_relabelled(translation, operator, value)
    (top, bottom), (left, right) = paddings[1].tolist(), paddings[2].tolist()
    height, width, channels = value.shape
    above, below, before, after = value.padding
    return replace(
        value,
        shape=(height + top + bottom, width + left + right, channels),
        padding=(above + top, below + bottom, before + left, after + right),
    )


def _check_relabelled(translation: Translation, operator: OperatorRecord, value: Value) -> None:
    """An operator that is folded away must leave the quantisation as it is."""
    operand, output = value.layer.output, translation.output_type(operator)
    if (operand.scale, operand.zero_point) != (output.scale, output.zero_point):
        raise ModelFileError(
            f"{label(operator)} has an operand and a result of different quantisation; accepted: alike"
        )


def _reshape(translation: Translation, operator: OperatorRecord) -> Value:
    value = translation.unpadded(operator, translation.value(operator, 0))
    output = translation.output_type(operator)
    if prod(output.shape) != prod(value.shape):
        raise ModelFileError(f"{label(operator)} reshapes {value.shape} to {output.shape}, of another size")
    if not value.host_operators or value.host_operators[-1] == "RESHAPE":
        _check_relabelled(translation, operator, value)
    return replace(value, shape=output.shape, host_operators=(*value.host_operators, "RESHAPE"))


def _softmax(translation: Translation, operator: OperatorRecord) -> Value:
    value = translation.unpadded(operator, translation.value(operator, 0))
    return replace(value, host_operators=(*value.host_operators, "SOFTMAX"))


TRANSLATORS: dict[str, Translator] = {
    "CONV_2D": Translator(_conv, 2, 3),
    "DEPTHWISE_CONV_2D": Translator(_depthwise, 2, 3),
    "FULLY_CONNECTED": Translator(_fully_connected, 2, 3),
    "ADD": Translator(_add, 2, 2),
    "AVERAGE_POOL_2D": Translator(_pool, 1, 1),
    "MAX_POOL_2D": Translator(_pool, 1, 1),
    "MEAN": Translator(_mean, 2, 2),
    "RELU": Translator(_rescale, 1, 1),
    "RELU6": Translator(_rescale, 1, 1),
    "QUANTIZE": Translator(_rescale, 1, 1),
    "PAD": Translator(_pad, 2, 2),
    "PADV2": Translator(_pad, 3, 3),
    "RESHAPE": Translator(_reshape, 1, 2),
    "SOFTMAX": Translator(_softmax, 1, 1),
}
