"""Requantise lane: int32 accumulator to int8, in TensorFlow Lite's two roundings."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Elaboratable, EnableInserter, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.isa import RoundingMode
from hwgen.rtl.comparison import is_less
from hwgen.rtl.rounding_shift import shifted_by_place
from hwgen.rtl.shared import SharedComponent

ParameterLayout = data.StructLayout({"bias": signed(32), "multiplier": unsigned(31), "shift": signed(6)})
"""Requantisation parameters of one channel; shift positive is left, as in TensorFlow Lite."""

ModeLayout = data.StructLayout(
    {"rounding": 1, "zero_point": signed(8), "clamp_low": signed(8), "clamp_high": signed(8)}
)
"""What all channels of a layer share."""


def requantise(acc: int, bias: int, multiplier: int, shift: int, rounding: RoundingMode) -> int:
    """Golden of the lane before zero point and clamp.

    ``acc`` and ``bias`` are int32 and their sum wraps to one, ``multiplier`` is in [0, 2**31), ``shift`` in [-31, 30];
    the result is an int32, if what is shifted to the left does not overflow one.
    """
    product = ((acc + bias + 2**31) % 2**32 - 2**31) * multiplier
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
    latency = 13

    def __init__(self) -> None:
        super().__init__(
            {
                "acc": In(signed(32)),  # accumulator
                "parameters": In(ParameterLayout),  # of its channel
                "modes": In(data.ArrayLayout(ModeLayout, self.latency)),  # of the layer of each stage's accumulator
                "works": In(1),  # from an accumulator's cycle to that before its result's: else it stands still
                "result": Out(signed(8)),  # int8 output
            }
        )

    def logic(self) -> Elaboratable:
        m = Module()

        def register(shape: object, name: str, value: object) -> Signal:
            signal = Signal(shape, name=name, reset_less=True)
            m.d.sync += signal.eq(value)
            return signal

        def named(name: str, value: Value) -> Signal:
            signal = Signal(value.shape(), name=name)
            m.d.comb += signal.eq(value)
            return signal

        def delay(signal: Signal, stages: int) -> Signal:
            """The same, ``stages`` cycles later."""
            name = signal.name
            for stage in range(1, stages + 1):
                signal = register(signal.shape(), f"{name}_later_{stage}", signal)
            return signal

        # What a stage needs of its mode has a register of the lane's: modes have far to go.
        def rounds_twice(stage: int) -> Signal:
            return register(1, f"rounds_twice_{stage}", self.modes[stage - 2].rounding == RoundingMode.DOUBLE)

        zero_point = register(signed(8), "zero_point", self.modes[9].zero_point)
        low = register(signed(8), "clamp_low", self.modes[10].clamp_low)
        high = register(signed(8), "clamp_high", self.modes[10].clamp_high)

        # 1: parameters come out of a memory.
        acc = register(signed(32), "acc_1", self.acc)
        parameters = register(ParameterLayout, "parameters_1", self.parameters)

        # 2: bias.
        value = register(signed(32), "value", acc + parameters.bias)
        multiplier = register(unsigned(31), "multiplier_2", parameters.multiplier)
        shift = register(signed(6), "shift_2", parameters.shift)

        # 3: the way to the multipliers, which lie where the chip has them.
        value, multiplier = delay(value, 1), delay(multiplier, 1)

        # 4, 5, 6: product, from products that a multiplier of the device does at once.
        low_value, high_value = value[:16], value[16:].as_signed()
        low_multiplier, high_multiplier = multiplier[:16], multiplier[16:]
        low_low = register(unsigned(32), "low_low", low_value * low_multiplier)
        low_high = register(unsigned(31), "low_high", low_value * high_multiplier)
        high_low = register(signed(32), "high_low", high_value * low_multiplier)
        high_high = register(signed(31), "high_high", high_value * high_multiplier)
        middle = register(signed(33), "middle", low_high + high_low)
        outer = register(signed(63), "outer", Cat(low_low, high_high))
        product = register(signed(63), "product", Cat(outer[:16], outer[16:].as_signed() + middle))
        shift = delay(shift, 4)

        # 7, 8, 9: one shift to the right, by 31 - shift places, of the product, or of what is left of -1 without it
        # where negative, which has no sign to extend. The result is small or saturates, so few bits are kept, the
        # lowest being that below the result; of the others matters whether one above is 1, and all below. A place below
        # the product lets all shifts be by one at least, and those of 32 and more be the ones that round twice.
        negative = named("negative", product[-1])
        bits = named("bits", Cat(Const(1, 1), product[:-1] ^ negative.replicate(62)))
        places = named("places", Cat(~shift[:5], shift[5]))
        double = rounds_twice(7)
        # The first rounding of two carries into the second from where 31 places end; from below that nothing does.
        first = bits[31] & (double | bits[:31].all())
        # Many bits are above; whether they are joins what the next stage finds.
        far_above = register(1, "far_above", ~places[5] & bits[40:].any())
        above, below = Const(0), Mux(places[5], first, ~double)
        bits = named("bits_after_5", Mux(places[5], bits[32:], bits[:40]))
        for place in reversed(range(5)):
            kept = 8 + (1 << place)
            above = named(f"above_after_{place}", above | ~places[place] & bits[kept:].any())
            shifted, all_ones = shifted_by_place(bits, below, places[place], place)
            below = named(f"below_after_{place}", all_ones)
            bits = named(f"bits_after_{place}", shifted[:kept])
            if place % 2 == 0:
                negative = register(1, f"negative_{place}", negative)
                above, below = register(1, f"above_{place}", above), register(1, f"below_{place}", below)
                bits = register(unsigned(kept), f"bits_{place}", bits)
                places = register(unsigned(6), f"places_{place}", places)
            if place == 4:
                above |= far_above

        # 10: saturation to what the clamp tells apart, sign, and whether a half and what is below it round upwards.
        half, quotient = bits[0], bits[1:]
        saturated = Cat((quotient | above.replicate(8)) ^ negative.replicate(8), negative)
        saturated = register(signed(9), "saturated", saturated)
        double = rounds_twice(10)
        rounds = register(1, "rounds", Mux(negative, ~(half | below), half | (below & double)))

        # 11: zero point.
        offset = register(signed(10), "offset", add_with_carry(saturated, zero_point, rounds))

        # 12: both bounds are compared, 13: and one is chosen.
        is_below, is_above = is_less(offset, _widened(low)), is_less(_widened(high), offset)
        raised = register(signed(8), "raised", Mux(is_below, low, offset))
        exceeds = register(1, "exceeds", is_above)
        m.d.sync += self.result.eq(Mux(exceeds, delay(high, 1), raised))
        return EnableInserter(self.works)(m)


def add_with_carry(left: Value, right: Value, carry: Value) -> Value:
    """``left + right + carry``, signed, as one addition: the carry enters it from a bit below."""
    return (Cat(Const(1, 1), left).as_signed() + Cat(carry, right).as_signed())[1:].as_signed()


def _widened(bound: Value) -> Value:
    """A bound of the clamp, as wide as what it is compared with."""
    return Cat(bound, bound[-1].replicate(2)).as_signed()
