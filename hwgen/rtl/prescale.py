"""Prescale lane: an operand of an addition, scaled as TensorFlow Lite's ADD scales it before the sum."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

OperandLayout = data.StructLayout({"zero_point": signed(8), "multiplier": unsigned(31), "shift": unsigned(5)})
"""How one operand is scaled; the shift is to the right."""


def prescale(value: int, zero_point: int, multiplier: int, shift: int) -> int:
    """Golden of one operand: ``(value - zero_point) << 20`` scaled with double rounding by a factor below one."""
    high = ((value - zero_point) * multiplier + (1 << 10)) >> 11
    return high if shift == 0 else (high + (1 << (shift - 1)) - (high < 0)) >> shift


class PrescaleLane(wiring.Component):
    """One operand per cycle, fully pipelined; ``latency`` cycles from inputs to ``result``."""

    latency = 4

    def __init__(self) -> None:
        super().__init__(
            {
                "value": In(signed(8)),  # int8 operand
                "operand": In(OperandLayout),  # its scale
                "result": Out(signed(32)),  # scaled operand
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        centred = Signal(signed(9), reset_less=True)
        multiplier = Signal(31, reset_less=True)
        shifts = [Signal(5, name=f"shift_{stage}", reset_less=True) for stage in (1, 2, 3)]
        product = Signal(signed(40), reset_less=True)
        high = Signal(signed(30), reset_less=True)
        nudge = Signal(signed(32))
        m.d.sync += [
            centred.eq(self.value - self.operand.zero_point),
            multiplier.eq(self.operand.multiplier),
            shifts[0].eq(self.operand.shift),
            product.eq(centred * multiplier),
            shifts[1].eq(shifts[0]),
            # The shift left by 20 and the high multiply's shift right by 31 leave a shift right by 11.
            high.eq((product + (1 << 10)) >> 11),
            shifts[2].eq(shifts[1]),
            self.result.eq((high + nudge) >> shifts[2]),
        ]
        with m.If(shifts[2] != 0):
            m.d.comb += nudge.eq(((Const(1, 32) << shifts[2]) >> 1).as_signed() - (high < 0))
        return m
