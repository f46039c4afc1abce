"""The fixed-point arithmetic against the C++ kernels' definitions, written out one value at a time."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hwgen.arithmetic import (
    multiply_by_quantised_multiplier,
    output_clamp,
    quantise_multiplier,
    rounding_divide,
    rounding_divide_by_power_of_two,
    saturating_rounding_doubling_high_multiply,
)
from hwgen.graph import Rounding

int32 = st.integers(-(2**31), 2**31 - 1)
accumulators = st.integers(-(2**24), 2**24)
multipliers = st.one_of(st.just(0), st.just(2**30), st.integers(2**29, 2**31 - 1))


def truncated_quotient(numerator: int, denominator: int) -> int:
    """C's integer division."""
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def high_multiply(a: int, b: int) -> int:
    """gemmlowp's SaturatingRoundingDoublingHighMul."""
    if a == b == -(2**31):
        return 2**31 - 1
    nudge = 1 << 30 if a * b >= 0 else 1 - (1 << 30)
    return truncated_quotient(a * b + nudge, 1 << 31)


def shift_right(x: int, exponent: int) -> int:
    """gemmlowp's RoundingDivideByPOT."""
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if (x & mask) > threshold else 0)


def half_away(value: Fraction) -> int:
    """C's round."""
    magnitude = floor(abs(value) + Fraction(1, 2))
    return magnitude if value >= 0 else -magnitude


@given(int32, int32)
@example(-(2**31), -(2**31))
@example(-(2**31), 2**31 - 1)
@example(-1, 2**30)
@example(1, 2**30)
def test_high_multiply_is_gemmlowps(a: int, b: int) -> None:
    assert saturating_rounding_doubling_high_multiply(np.array([a]), b)[0] == high_multiply(a, b)


@given(int32, st.integers(0, 31))
@example(-1, 1)
@example(-3, 1)
@example(3, 1)
@example(-1, 0)
def test_right_shift_is_gemmlowps(x: int, exponent: int) -> None:
    assert rounding_divide_by_power_of_two(np.array([x]), exponent)[0] == shift_right(x, exponent)


@given(accumulators, multipliers, st.integers(-31, 6))
def test_double_rounding_is_high_multiply_then_right_shift(x: int, multiplier: int, shift: int) -> None:
    left, right = max(shift, 0), max(-shift, 0)
    expected = shift_right(high_multiply(x << left, multiplier), right)
    assert multiply_by_quantised_multiplier(np.array([x]), multiplier, shift, Rounding.DOUBLE)[0] == expected


@given(accumulators, multipliers, st.integers(-31, 6))
@example(-1, 2**30, 0)
@example(1, 2**30, 0)
@example(-3, 2**30, -1)
def test_single_rounding_is_the_exact_product_rounded_half_away(x: int, multiplier: int, shift: int) -> None:
    expected = half_away(Fraction(x * multiplier, 2**31) * Fraction(2) ** shift)
    assert multiply_by_quantised_multiplier(np.array([x]), multiplier, shift, Rounding.SINGLE)[0] == expected


@pytest.mark.parametrize("rounding", Rounding)
def test_multipliers_apply_per_channel_of_the_last_axis(rounding: Rounding) -> None:
    x = np.arange(-12, 12).reshape(2, 4, 3) * 1001
    multiplier, shift = np.array([2**30, 0, 1_717_986_918]), np.array([-1, 0, -5])
    whole = multiply_by_quantised_multiplier(x, multiplier, shift, rounding)
    for channel in range(3):
        alone = multiply_by_quantised_multiplier(x[..., channel], multiplier[channel], shift[channel], rounding)
        assert np.array_equal(whole[..., channel], alone)


@given(st.floats(2.0**-31, 2.0**20, allow_nan=False))
def test_quantised_multiplier_is_within_a_31_bit_rounding_of_the_real(real: float) -> None:
    multiplier, shift = quantise_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    assert abs(Fraction(multiplier, 2**31) * Fraction(2) ** shift / Fraction(real) - 1) <= Fraction(1, 2**31)


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (0.0, (0, 0)),
        (1.0, (2**30, 1)),
        (0.5, (2**30, 0)),
        (0.75, (3 * 2**29, 0)),
        (1.0 - 2.0**-40, (2**30, 1)),  # rounds up to 2**31, which is renormalised
        (2.0**-32, (2**30, -31)),
        (2.0**-33, (0, 0)),
        (1e-300, (0, 0)),
    ],
)
def test_quantised_multiplier_at_its_edges(real: float, expected: tuple[int, int]) -> None:
    assert quantise_multiplier(real) == expected


@pytest.mark.parametrize("real", [-0.1, 2.0**30, float("inf"), float("nan")])
def test_impossible_multipliers_are_refused_by_value(real: float) -> None:
    with pytest.raises(ValueError, match=r"real multiplier: .* is out of range"):
        quantise_multiplier(real)


@given(st.integers(-(2**20), 2**20), st.integers(1, 2**12))
@example(-3, 2)
@example(3, 2)
def test_mean_rounds_halves_away_from_zero(total: int, count: int) -> None:
    assert rounding_divide(np.array([total]), count)[0] == half_away(Fraction(total, count))


@pytest.mark.parametrize(
    ("activation", "scale", "zero_point", "expected"),
    [
        ("NONE", 0.1, 5, (-128, 127)),
        ("RELU", 0.1, 5, (5, 127)),
        ("RELU", 0.1, -128, (-128, 127)),
        ("RELU6", 0.1, 5, (5, 65)),
        ("RELU6", 0.01, 5, (5, 127)),
        ("RELU6", 4.0, 0, (0, 2)),  # 1.5 rounds away from zero
        ("RELU_N1_TO_1", 0.4, 0, (-3, 3)),  # -2.5 too
    ],
)
def test_fused_activations_clamp_to_their_quantised_bounds(
    activation: str, scale: float, zero_point: int, expected: tuple[int, int]
) -> None:
    assert output_clamp(activation, scale, zero_point) == expected
