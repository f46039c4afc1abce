"""TensorFlow Lite's int8 fixed-point arithmetic, vectorised, bit for bit as its reference kernels compute it.

The 8-bit quantisation specification (Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", 2018) scales int32 accumulators by a real factor written as a 31-bit multiplier
and a power of two. The routines take int arrays of any shape; intermediate results are int64, so they are exact
wherever the C++ kernels do not overflow (that is, while ``x * 2**shift`` fits in 32 bits).
"""

from __future__ import annotations

from math import frexp

import numpy as np

from hwgen.graph import INT8_MAX, INT8_MIN, Rounding, Scale

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
ADD_LEFT_SHIFT = 20
"""Bits by which an Add's operands move left before they are scaled to their common scale."""

ACTIVATION_BOUNDS: dict[str, tuple[float | None, float | None]] = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU6": (0.0, 6.0),
}
"""The real-valued bounds of each activation function that an int8 clamp expresses."""


def saturating_rounding_doubling_high_multiply(a: np.ndarray, b: np.ndarray | int) -> np.ndarray:
    """High 32 bits of ``2 * a * b`` for int32 operands, rounded to nearest with ties upwards; int64.

    The C++ kernel adds a nudge that depends on the sign and truncates towards zero; for both signs that equals
    ``floor((a * b + 2**30) / 2**31)``. The one product that does not fit, (-2**31)**2, saturates.
    """
    rounded = (np.asarray(a, np.int64) * np.asarray(b, np.int64) + (1 << 30)) >> 31
    return np.minimum(rounded, INT32_MAX)


def rounding_divide_by_power_of_two(x: np.ndarray, exponent: np.ndarray | int) -> np.ndarray:
    """``x / 2**exponent`` rounded to nearest, ties away from zero; ``exponent`` from 0 to 31; int64."""
    x = np.asarray(x, np.int64)
    exponent = np.asarray(exponent, np.int64)
    half = (np.int64(1) << exponent) >> 1
    return (x + half - ((x < 0) & (exponent > 0))) >> exponent


def multiply_by_quantised_multiplier(
    x: np.ndarray, multiplier: np.ndarray | int, shift: np.ndarray | int, rounding: Rounding
) -> np.ndarray:
    """``x * multiplier / 2**31 * 2**shift`` rounded to an integer; int64.

    ``x`` is int32-valued, [..., C]; ``multiplier`` (0 to 2**31 - 1) and ``shift`` (-31 to 30, positive left) are
    scalars or [C].
    """
    x = np.asarray(x, np.int64)
    multiplier = np.asarray(multiplier, np.int64)
    shift = np.asarray(shift, np.int64)
    if rounding is Rounding.SINGLE:
        total_shift = 31 - shift
        return (x * multiplier + (np.int64(1) << (total_shift - 1)) - (x < 0)) >> total_shift
    high = saturating_rounding_doubling_high_multiply(x << np.maximum(shift, 0), multiplier)
    return rounding_divide_by_power_of_two(high, np.maximum(-shift, 0))


def quantise_multiplier(real: float) -> tuple[int, int]:
    """(multiplier, shift) with ``real ~ multiplier / 2**31 * 2**shift``, multiplier 0 or in [2**30, 2**31).

    Factors below 2**-32 become (0, 0). Raises ValueError where ``real`` is negative, not finite or at least 2**30.
    """
    if not 0.0 <= real < 2.0**30:
        raise ValueError(f"real multiplier: {real!r} is out of range; accepted: 0 to 2**30")
    fraction, shift = frexp(real)
    multiplier = int(fraction * 2.0**31 + 0.5)
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def add_scales(left: float, right: float, output: float) -> tuple[tuple[Scale, Scale], Scale]:
    """ADD's factors for its operands and its output, by their scales, as TensorFlow Lite's ``kernels/add.cc`` has them.

    Raises ValueError where a scale is too small or too large for a factor to be in range.
    """
    twice_largest = 2.0 * max(left, right)
    operands = (Scale(*quantise_multiplier(left / twice_largest)), Scale(*quantise_multiplier(right / twice_largest)))
    return operands, Scale(*quantise_multiplier(twice_largest / (2.0**ADD_LEFT_SHIFT * output)))


def rounding_divide(total: np.ndarray, count: np.ndarray | int) -> np.ndarray:
    """AVERAGE_POOL_2D's division: ``total / count`` with halves rounded away from zero."""
    total = np.asarray(total)
    magnitude = (np.abs(total) + count // 2) // count
    return np.where(total > 0, magnitude, -magnitude)


def output_clamp(activation: str, scale: float, zero_point: int) -> tuple[int, int]:
    """The int8 clamp of a fused activation on an output quantised by ``scale`` (a float32 value) and ``zero_point``.

    Raises KeyError where ``activation`` is not one of ``ACTIVATION_BOUNDS``.
    """
    low, high = ACTIVATION_BOUNDS[activation]
    return (
        INT8_MIN if low is None else max(INT8_MIN, _quantise(low, scale, zero_point)),
        INT8_MAX if high is None else min(INT8_MAX, _quantise(high, scale, zero_point)),
    )


def _quantise(real: float, scale: float, zero_point: int) -> int:
    """TensorFlow Lite divides in float32 and rounds halves away from zero."""
    quotient = float(np.float32(real) / np.float32(scale))
    return zero_point + int(np.copysign(np.floor(abs(quotient) + 0.5), quotient))
