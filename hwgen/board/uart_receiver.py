"""UART receiver: a serial line becomes bytes."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out


class UartReceiver(wiring.Component):
    """Start bit, 8 data bits, no parity, stop bit, of ``divisor`` cycles each and read in their middle.

    A byte without its stop bit is dropped.
    """

    def __init__(self, divisor: int) -> None:
        self.divisor = divisor
        super().__init__(
            {
                "line": In(1, init=1),  # high when idle; changes at any time
                "bytes": Out(stream.Signature(8, always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line = Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.line, line, init=1)

        cycle = Signal(range(self.divisor))
        left = Signal(range(11))
        """Bits to come of the byte, its start and stop bit among them."""
        m.d.sync += self.bytes.valid.eq(0)
        with m.If(left == 0):
            m.d.sync += cycle.eq(self.divisor // 2)
            with m.If(~line):
                m.d.sync += left.eq(10)
        with m.Elif(cycle != self.divisor - 1):
            m.d.sync += cycle.eq(cycle + 1)
        with m.Else():
            m.d.sync += [cycle.eq(0), left.eq(left - 1)]
            with m.If(left == 1):
                m.d.sync += self.bytes.valid.eq(line)
            with m.Elif((left == 10) & line):
                m.d.sync += left.eq(0)  # a glitch
            with m.Else():
                m.d.sync += self.bytes.payload.eq(Cat(self.bytes.payload[1:], line))
        return m
