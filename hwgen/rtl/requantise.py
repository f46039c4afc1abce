"""Requantise lane: int32 accumulator to int8, in TensorFlow Lite's two roundings and the mean of a pool."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.isa import RoundingMode
from hwgen.rtl.shared import SharedComponent

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


class RequantiseLane(SharedComponent):
    """One accumulator per cycle, fully pipelined; ``latency`` cycles from inputs to ``result``."""

    module = "requantise_lane"
    latency = 12

    def __init__(self) -> None:
        super().__init__(
            {
                "acc": In(signed(32)),  # accumulator
                "parameters": In(ParameterLayout),  # of its channel
                "modes": In(data.ArrayLayout(ModeLayout, self.latency)),  # of the layer of each stage's accumulator
                "result": Out(signed(8)),  # int8 output
            }
        )

    def logic(self) -> Module:
        m = Module()

        def register(shape: object, name: str, value: object) -> Signal:
            signal = Signal(shape, name=name, reset_less=True)
            m.d.sync += signal.eq(value)
            return signal

        def delay(signal: Signal, stages: int) -> Signal:
            """The same, ``stages`` cycles later."""
            name = signal.name
            for stage in range(1, stages + 1):
                signal = register(signal.shape(), f"{name}_later_{stage}", signal)
            return signal

        # 1: parameters come out of a memory.
        acc = register(signed(32), "acc_1", self.acc)
        parameters = register(ParameterLayout, "parameters_1", self.parameters)

        # 2: bias. A mean is rounded by adding to its magnitude. The first shift rounds; only the double rounding has a
        # second, which takes the right part of the shift. Its last place is left for the bit that rounds.
        subtract = (self.modes[1].rounding == RoundingMode.MEAN) & (acc < 0)
        bias = Mux(subtract, ~parameters.bias, parameters.bias)
        biased = register(signed(33), "biased", add_with_carry(acc, bias, subtract))
        multiplier = register(unsigned(31), "multiplier_2", parameters.multiplier)
        twice = (self.modes[1].rounding == RoundingMode.DOUBLE) & (parameters.shift < 0)
        first = register(unsigned(6), "first_2", Mux(twice, 30, 30 - parameters.shift))
        second = register(unsigned(5), "second_2", Mux(twice, -parameters.shift, 0))

        # 3: the other roundings treat both signs alike.
        negative = (biased < 0) & (self.modes[2].rounding != RoundingMode.DOUBLE)
        value = register(signed(33), "value", Mux(negative, -biased, biased))
        multiplier = register(unsigned(31), "multiplier_3", multiplier)
        negate = register(1, "negate", negative)

        # 4, 5, 6: product, from products that a multiplier of the device does at once.
        low, high = value[:16], value[16:].as_signed()
        low_multiplier, high_multiplier = multiplier[:16], multiplier[16:]
        low_low = register(unsigned(32), "low_low", low * low_multiplier)
        low_high = register(unsigned(31), "low_high", low * high_multiplier)
        high_low = register(signed(33), "high_low", high * low_multiplier)
        high_high = register(signed(32), "high_high", high * high_multiplier)
        middle = register(signed(34), "middle", low_high + high_low)
        outer = register(signed(64), "outer", Cat(low_low, high_high))
        product = register(signed(64), "product", Cat(outer[:16], outer[16:].as_signed() + middle))

        # 7, 8: first shift, with the bit below the result, which rounds.
        shifted = register(signed(34), "shifted", product >> delay(first, 4))
        second = delay(second, 5)
        rounds = shifted[0] & (self.modes[7].rounding != RoundingMode.MEAN)
        # Before the second shift, one is taken from negative values, which makes it round halves away from zero.
        lowers = (shifted < 0) & (second != 0)
        change = (lowers & ~rounds).replicate(33)
        once = register(signed(33), "once", add_with_carry(shifted[1:], change, rounds & ~lowers))

        # 9: second shift, likewise.
        shifted_twice = register(signed(34), "shifted_twice", Cat(Const(0, 1), once).as_signed() >> delay(second, 1))

        # 10: saturation to what the clamp tells apart, so that what follows is narrow.
        quotient = shifted_twice[1:].as_signed()
        narrow = Mux(quotient == quotient[:10].as_signed(), quotient[:10], Mux(quotient < 0, 1 << 9, (1 << 9) - 1))
        saturated = register(signed(10), "saturated", narrow)
        rounds_twice = register(1, "rounds_twice", shifted_twice[0])

        # 11: sign and zero point; only the double rounding rounds here, and it keeps the sign.
        negate = delay(negate, 7)
        result = Mux(negate, ~saturated, saturated)
        offset = register(
            signed(12), "offset", add_with_carry(result, self.modes[10].zero_point, negate | rounds_twice)
        )

        # 12: clamp.
        clamp = self.modes[11]
        with m.If(offset < clamp.clamp_low):
            m.d.sync += self.result.eq(clamp.clamp_low)
        with m.Elif(offset > clamp.clamp_high):
            m.d.sync += self.result.eq(clamp.clamp_high)
        with m.Else():
            m.d.sync += self.result.eq(offset)
        return m


def add_with_carry(left: Value, right: Value, carry: Value) -> Value:
    """``left + right + carry``, signed, as one addition: the carry enters it from a bit below."""
    return (Cat(Const(1, 1), left).as_signed() + Cat(carry, right).as_signed())[1:].as_signed()
