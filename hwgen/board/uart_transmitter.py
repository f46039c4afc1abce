"""UART transmitter: bytes become a serial line."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class UartTransmitter(wiring.Component):
    """Start bit, 8 data bits, no parity, stop bit, of ``divisor`` cycles each."""

    def __init__(self, divisor: int) -> None:
        self.divisor = divisor
        super().__init__(
            {
                "bytes": In(stream.Signature(8)),
                "line": Out(1, init=1),  # high when idle
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cycle = Signal(range(self.divisor))
        left = Signal(range(11))
        """Bits of the byte that have not ended, its start and stop bit among them."""
        bits = Signal(9, init=-1)
        """Those after the one on the line."""
        m.d.comb += self.bytes.ready.eq(left == 0)
        with m.If(left == 0):
            with m.If(self.bytes.valid):
                m.d.sync += [left.eq(10), self.line.eq(0), bits.eq(Cat(self.bytes.payload, Const(1, 1)))]
        with m.Elif(cycle != self.divisor - 1):
            m.d.sync += cycle.eq(cycle + 1)
        with m.Else():
            m.d.sync += [cycle.eq(0), left.eq(left - 1), Cat(self.line, bits).eq(Cat(bits, Const(1, 1)))]
        return m
