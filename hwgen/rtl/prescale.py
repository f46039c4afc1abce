"""Prescale lane: an operand of an addition, scaled as TensorFlow Lite's ADD scales it before the sum."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value, signed, unsigned
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.rtl.rounding_shift import shifted_by_place
from hwgen.rtl.shared import SharedComponent

ScaleLayout = data.StructLayout({"multiplier": unsigned(31), "shift": unsigned(5)})
"""How one operand is scaled; the shift is to the right."""


def prescale(value: int, zero_point: int, multiplier: int, shift: int) -> int:
    """Golden of one operand: ``(value - zero_point) << 20`` scaled with double rounding by a factor below one."""
    high = ((value - zero_point) * multiplier + (1 << 10)) >> 11
    return high if shift == 0 else (high + (1 << (shift - 1)) - (high < 0)) >> shift


class PrescaleLane(SharedComponent):
    """One operand per cycle, fully pipelined; ``latency`` cycles from inputs to ``result``."""

    module = "prescale_lane"
    latency = 7

    def __init__(self) -> None:
        super().__init__(
            {
                "value": In(signed(8)),  # int8 operand
                "zero_point": In(signed(8)),  # its zero point
                "scale": In(ScaleLayout),  # a cycle later
                "works": In(1),  # from the cycle after an operand's to that before its result's: else it stands still
                "result": Out(signed(32)),  # scaled operand
            }
        )

    def logic(self) -> Module:
        m = Module()
        difference, centred = Signal(signed(9), reset_less=True), Signal(signed(9), reset_less=True)
        multiplier = Signal(31, reset_less=True)
        low, high = Signal(signed(25), reset_less=True), Signal(signed(24), reset_less=True)
        product = Signal(signed(40), reset_less=True)
        # A cycle later it is known that this is an operand, and the difference has come to its multipliers.
        m.d.sync += difference.eq(self.value - self.zero_point)
        shift = Signal(5, name="shift_2", reset_less=True)
        later = [
            centred.eq(difference),
            multiplier.eq(self.scale.multiplier),
            shift.eq(self.scale.shift),
            low.eq(centred * multiplier[:16]),
            high.eq(centred * multiplier[16:]),
            product.eq(Cat(low[:16], high + (low >> 16))),
        ]
        for stage in (3, 4):
            earlier, shift = shift, Signal(5, name=f"shift_{stage}", reset_less=True)
            later.append(shift.eq(earlier))

        # A shift left by 20 and the high multiply's shift right by 31 leave one right by 11, of which the lowest bit is
        # kept, as it rounds. Both shifts and both roundings are one, as in the requantise lane: of a negative product,
        # what is left of -1 without it is shifted, and all ones below the result carry into it.
        negative, below = Signal(name="negative_5", reset_less=True), Signal(name="below_5", reset_less=True)
        bits, left = Signal(29, name="bits_5", reset_less=True), Signal(3, reset_less=True)
        fewer, all_ones = self._shifted(m, product[10:39] ^ product[39].replicate(29), shift != 0, shift, (4, 3))
        later += [negative.eq(product[39]), bits.eq(fewer), below.eq(all_ones), left.eq(shift[:3])]

        quotient, rounds = Signal(signed(29), reset_less=True), Signal(reset_less=True)
        fewer, all_ones = self._shifted(m, bits, below, left, (2, 1, 0))
        later += [
            quotient.eq(Cat(fewer[1:] ^ negative.replicate(28), negative)),
            rounds.eq((fewer[0] | all_ones) ^ negative),
            self.result.eq(quotient + rounds),
        ]
        with m.If(self.works):
            m.d.sync += later
        return m

    def _shifted(
        self, m: Module, bits: Value, below: Value, shift: Value, places: Sequence[int]
    ) -> tuple[Value, Value]:
        """``bits`` shifted right by these places of ``shift``, and whether ``below`` and all bits dropped are ones."""
        for place in places:
            shifted, ones = Signal(29, name=f"shifted_{place}"), Signal(name=f"ones_{place}")
            fewer, all_ones = shifted_by_place(bits, below, shift[place], place)
            with m.If(self.works):  # between its registers, too, it stands still
                m.d.comb += [shifted.eq(fewer), ones.eq(all_ones)]
            bits, below = shifted, ones
        return bits, below
