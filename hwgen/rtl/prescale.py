"""Prescale lane: an operand of an addition, scaled as TensorFlow Lite's ADD scales it before the sum."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal, signed, unsigned
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.rtl.requantise import add_with_carry
from hwgen.rtl.shared import SharedComponent

OperandLayout = data.StructLayout({"zero_point": signed(8), "multiplier": unsigned(31), "shift": unsigned(5)})
"""How one operand is scaled; the shift is to the right."""


def prescale(value: int, zero_point: int, multiplier: int, shift: int) -> int:
    """Golden of one operand: ``(value - zero_point) << 20`` scaled with double rounding by a factor below one."""
    high = ((value - zero_point) * multiplier + (1 << 10)) >> 11
    return high if shift == 0 else (high + (1 << (shift - 1)) - (high < 0)) >> shift


class PrescaleLane(SharedComponent):
    """One operand per cycle, fully pipelined; ``latency`` cycles from inputs to ``result``."""

    module = "prescale_lane"
    latency = 6

    def __init__(self) -> None:
        super().__init__(
            {
                "value": In(signed(8)),  # int8 operand
                "operand": In(OperandLayout),  # its scale
                "result": Out(signed(32)),  # scaled operand
            }
        )

    def logic(self) -> Module:
        m = Module()
        centred = Signal(signed(9), reset_less=True)
        multiplier = Signal(31, reset_less=True)
        shifts = [Signal(5, name=f"shift_{stage}", reset_less=True) for stage in range(1, 5)]
        low, high = Signal(signed(25), reset_less=True), Signal(signed(24), reset_less=True)
        product = Signal(signed(40), reset_less=True)
        once = Signal(signed(30), reset_less=True)
        shifted = Signal(signed(31), reset_less=True)
        # The shift left by 20 and the high multiply's shift right by 31 leave a shift right by 11, which the bit below
        # it rounds. One is taken from negative values, so that the second shift rounds halves away from zero.
        rounds = product[10]
        lowers = (product < 0) & (shifts[2] != 0)
        m.d.sync += [
            centred.eq(self.value - self.operand.zero_point),
            multiplier.eq(self.operand.multiplier),
            low.eq(centred * multiplier[:16]),
            high.eq(centred * multiplier[16:]),
            product.eq(Cat(low[:16], high + (low >> 16))),
            once.eq(add_with_carry(product[11:], (lowers & ~rounds).replicate(30), rounds & ~lowers)),
            shifted.eq(Cat(Const(0, 1), once).as_signed() >> shifts[-1]),
            self.result.eq(shifted[1:].as_signed() + shifted[0]),
        ]
        m.d.sync += [later.eq(earlier) for later, earlier in zip(shifts, [self.operand.shift, *shifts], strict=False)]
        return m
