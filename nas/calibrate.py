"""Quantisation ranges of activations, from the values that calibration images produce."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from torch import Tensor

from hwgen.graph import INT8_MAX, INT8_MIN, TensorType
from nas.trace import INPUT, FloatAveragePool, FloatLayer, execute

SAMPLES = 1 << 15
"""Values per tensor that the range search draws, beside the extremes."""
SHRINK_STEPS = 24
"""Fractions of the full range that the search tries, down to a fifth."""


@dataclass(frozen=True)
class QuantisationRange:
    """``real = scale * (q - zero_point)`` for int8 q."""

    scale: float
    zero_point: int


IMAGE_RANGE = QuantisationRange(scale=float(np.float32(1 / 255)), zero_point=-128)
"""Images in [0, 1]: an 8-bit pixel p becomes p - 128."""


def activation_types(layers: Sequence[FloatLayer], images: Tensor) -> dict[str, TensorType]:
    """The int8 type of INPUT and of each layer's output, by name, from calibration ``images`` [N, C, H, W].

    An average pool shares its operand's quantisation.
    """
    pooled = {layer.name: layer.operands[0] for layer in layers if isinstance(layer, FloatAveragePool)}
    ranges = {INPUT: IMAGE_RANGE}
    types = {}
    for name, value in execute(layers, images):
        if name in pooled:
            ranges[name] = ranges[pooled[name]]
        elif name != INPUT:
            ranges[name] = least_squares_range(value)
        types[name] = TensorType(tensor_shape(value), ranges[name].scale, ranges[name].zero_point)
    return types


def tensor_shape(value: Tensor) -> tuple[int, int, int]:
    """(height, width, channels) of one image's part of a batch."""
    if value.dim() == 2:
        return 1, 1, value.shape[1]
    _, channels, height, width = value.shape
    return height, width, channels


def least_squares_range(values: Tensor) -> QuantisationRange:
    """The range with the least mean squared error of quantised ``values``, among shrinkings of their own range."""
    flat = values.flatten().double().numpy()
    low, high = min(float(flat.min()), 0.0), max(float(flat.max()), 0.0)
    sample = flat if len(flat) <= SAMPLES else np.random.default_rng(0).choice(flat, SAMPLES)
    best, least_error = _affine(low, high), inf
    for fraction in np.linspace(1.0, 0.2, SHRINK_STEPS):
        candidate = _affine(low * fraction, high * fraction)
        error = float(np.square(_rounded(sample, candidate) - sample).mean())
        if error < least_error:
            best, least_error = candidate, error
    return best


def _affine(low: float, high: float) -> QuantisationRange:
    """The 256 levels from ``low`` (at most 0) to ``high`` (at least 0), zero being one of them exactly."""
    span = high - low if high > low else 1.0
    scale = float(np.float32(span / (INT8_MAX - INT8_MIN)))
    return QuantisationRange(scale, int(np.clip(np.rint(INT8_MIN - low / scale), INT8_MIN, INT8_MAX)))


def _rounded(values: np.ndarray, range_: QuantisationRange) -> np.ndarray:
    levels = np.clip(np.rint(values / range_.scale) + range_.zero_point, INT8_MIN, INT8_MAX)
    return (levels - range_.zero_point) * range_.scale
