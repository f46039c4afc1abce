"""The components' golden models are TensorFlow Lite's arithmetic, as ``hwgen.arithmetic`` has it, and AXI's rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hwgen.arithmetic import multiply_by_quantised_multiplier, rounding_divide
from hwgen.compiler.packing import mean_parameters
from hwgen.graph import Rounding
from hwgen.isa import RoundingMode
from hwgen.rtl.axi import MAX_BURST_BEATS
from hwgen.rtl.burst_splitter import split_bursts
from hwgen.rtl.operand_stage import pad_and_clamp
from hwgen.rtl.prescale import prescale
from hwgen.rtl.requantise import requantise

MODES = {RoundingMode.DOUBLE: Rounding.DOUBLE, RoundingMode.SINGLE: Rounding.SINGLE}
int8s = st.integers(-128, 127)
multipliers = st.one_of(st.just(0), st.integers(2**29, 2**31 - 1), st.just(2**30))


@pytest.mark.parametrize("mode", MODES)
@given(acc=st.integers(-(2**30), 2**30 - 1), bias=st.integers(-(2**30), 2**30), multiplier=multipliers, data=st.data())
def test_requantise_scales_as_tensorflow_lite(
    mode: RoundingMode, acc: int, bias: int, multiplier: int, data: st.DataObject
) -> None:
    left_room = 31 - (acc + bias).bit_length()
    shift = data.draw(st.integers(-31, min(30, left_room)))
    expected = multiply_by_quantised_multiplier(np.int64(acc + bias), multiplier, shift, MODES[mode])
    assert requantise(acc, bias, multiplier, shift, mode) == expected


@given(exponent=st.integers(1, 20), quotient=st.integers(-100, 100))
def test_requantise_rounds_halves_away_from_zero(exponent: int, quotient: int) -> None:
    half = (2 * quotient + 1) << exponent - 1
    away = quotient + 1 if half > 0 else quotient
    assert requantise(half, 0, 2**30, 1 - exponent, RoundingMode.SINGLE) == away


@given(count=st.integers(1, 10000), data=st.data())
def test_requantise_divides_as_an_average_pool(count: int, data: st.DataObject) -> None:
    total = data.draw(st.integers(-128 * count, 127 * count))
    assert requantise(total, 0, *mean_parameters(count), RoundingMode.SINGLE) == rounding_divide(np.int64(total), count)


@given(value=int8s, zero_point=int8s, multiplier=multipliers, shift=st.integers(0, 31))
@example(value=-128, zero_point=127, multiplier=2**31 - 1, shift=0)
@example(value=127, zero_point=-128, multiplier=2**31 - 1, shift=0)
def test_prescale_scales_an_addition_s_operand_as_tensorflow_lite(
    value: int, zero_point: int, multiplier: int, shift: int
) -> None:
    operand = np.int64(value - zero_point) << 20
    expected = multiply_by_quantised_multiplier(operand, multiplier, -shift, Rounding.DOUBLE)
    assert prescale(value, zero_point, multiplier, shift) == expected


@given(beat=st.integers(0, 2**20), beats=st.integers(0, 1000), bus_bytes=st.sampled_from([4, 8, 16, 32]))
def test_bursts_cover_the_transfer_and_cross_no_4_kib_boundary(beat: int, beats: int, bus_bytes: int) -> None:
    address = beat * bus_bytes
    bursts = split_bursts(address, beats, bus_bytes)
    for start, size in bursts:
        assert start == address
        assert 1 <= size <= MAX_BURST_BEATS
        assert start // 4096 == (start + size * bus_bytes - 1) // 4096
        address = start + size * bus_bytes
    assert address == (beat + beats) * bus_bytes
    assert len(bursts) <= beats // MAX_BURST_BEATS + 2


def test_operands_outside_the_row_are_padding_and_padding_is_not_clamped() -> None:
    assert pad_and_clamp([10, 20, 30, 40], offset=-1, row_bytes=2, pad=-9, low=-5, high=25) == [-9, 20, 25, -9]
