"""Requantise lane: int32 accumulator to int8, in TensorFlow Lite's two roundings and the mean of a pool."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.isa import RoundingMode

ParameterLayout = data.StructLayout({"bias": signed(32), "multiplier": unsigned(31), "shift": signed(6)})
"""Requantisation parameters of one channel; shift positive is left, as in TensorFlow Lite."""

ModeLayout = data.StructLayout(
    {"rounding": 2, "zero_point": signed(8), "clamp_low": signed(8), "clamp_high": signed(8)}
)
"""What all channels of a layer share."""


def requantise(acc: int, bias: int, multiplier: int, shift: int, rounding: RoundingMode) -> int:
    """Golden of the lane before zero point and clamp.

    ``acc`` and ``bias`` are int32, ``multiplier`` is in [0, 2**31), ``shift`` in [-31, 30]; the result is an int32.
    """
    if rounding is RoundingMode.MEAN:
        magnitude = ((abs(acc) + bias) * multiplier) >> (31 - shift)
        return -magnitude if acc < 0 else magnitude
    product = (acc + bias) * multiplier
    if rounding is RoundingMode.SINGLE:
        return (product + (1 << (30 - shift)) - (product < 0)) >> (31 - shift)
    left, right = max(shift, 0), max(-shift, 0)
    high = (product + (1 << (30 - left))) >> (31 - left)
    if right == 0:
        return high
    return (high + (1 << (right - 1)) - (high < 0)) >> right


class RequantiseLane(wiring.Component):
    """One accumulator per cycle, fully pipelined; ``latency`` cycles from inputs to ``result``."""

    latency = 6

    def __init__(self) -> None:
        super().__init__(
            {
                "acc": In(signed(32)),  # accumulator
                "parameters": In(ParameterLayout),  # of its channel
                "mode": In(ModeLayout),  # of its layer
                "result": Out(signed(8)),  # int8 output
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        mode = [self.mode]
        for stage in range(1, self.latency):
            delayed = Signal(ModeLayout, name=f"mode_{stage}", reset_less=True)
            m.d.sync += delayed.eq(mode[-1])
            mode.append(delayed)

        def register(shape: object, name: str, value: object) -> Signal:
            signal = Signal(shape, name=name, reset_less=True)
            m.d.sync += signal.eq(value)
            return signal

        is_mean = self.mode.rounding == RoundingMode.MEAN
        negate_in = is_mean & (self.acc < 0)
        magnitude = Mux(negate_in, -self.acc, self.acc)
        biased = register(signed(32), "biased", magnitude + self.parameters.bias)
        multiplier = register(unsigned(31), "multiplier", self.parameters.multiplier)
        shift_0 = self.parameters.shift
        is_double = self.mode.rounding == RoundingMode.DOUBLE
        # The first shift rounds; only the double rounding has a second, which takes the right part of the shift.
        first_0 = Mux(is_double & (shift_0 < 0), 31, 31 - shift_0)
        second_0 = Mux(is_double & (shift_0 < 0), -shift_0, 0)
        first, second, negate = (
            [register(unsigned(6), "first_1", first_0)],
            [register(unsigned(5), "second_1", second_0)],
            [register(1, "negate_1", negate_in)],
        )
        for stage in (2, 3, 4):
            first.append(register(unsigned(6), f"first_{stage}", first[-1]))
            second.append(register(unsigned(5), f"second_{stage}", second[-1]))
            negate.append(register(1, f"negate_{stage}", negate[-1]))

        product = register(signed(64), "product", biased * multiplier)

        half = Signal(signed(64))
        with m.If(mode[2].rounding != RoundingMode.MEAN):
            is_single = mode[2].rounding == RoundingMode.SINGLE
            m.d.comb += half.eq(((Const(1, 63) << first[1]) >> 1)[:63] - (is_single & (product < 0)))
        rounded = register(signed(64), "rounded", product + half)

        high = register(signed(33), "high", rounded >> first[2])

        nudge = Signal(signed(33))
        with m.If(second[3] != 0):
            m.d.comb += nudge.eq(Cat((Const(1, 32) << second[3]) >> 1, Const(0, 1)).as_signed() - (high < 0))
        scaled = register(signed(34), "scaled", ((high + nudge) >> second[3]))
        negate_5 = register(1, "negate_5", negate[3])

        # Stage 6: zero point and clamp, on a saturated copy so that the comparison stays narrow.
        signed_result = Signal(signed(35))
        m.d.comb += signed_result.eq(Mux(negate_5, -scaled, scaled))
        offset = Signal(signed(36))
        m.d.comb += offset.eq(signed_result + mode[5].zero_point)
        with m.If(offset < mode[5].clamp_low):
            m.d.sync += self.result.eq(mode[5].clamp_low)
        with m.Elif(offset > mode[5].clamp_high):
            m.d.sync += self.result.eq(mode[5].clamp_high)
        with m.Else():
            m.d.sync += self.result.eq(offset)
        return m
