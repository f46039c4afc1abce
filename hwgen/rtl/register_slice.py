"""Register slice: between two streams that lie far apart."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class RegisterSlice(wiring.Component):
    """Two registers by turns: neither stream waits to hear what the other does.

    What enters leaves a cycle later; an entry may enter and another leave in every cycle. Whether one leaves reaches
    no bit of what the registers hold.
    """

    def __init__(self, shape: ShapeLike) -> None:
        self.shape = shape
        super().__init__({"input": In(stream.Signature(shape)), "output": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        entries = [Signal(self.shape, name=f"entry_{turn}", reset_less=True) for turn in range(2)]
        filled = Signal(2)
        enters_second, leaves_second = Signal(), Signal()
        m.d.comb += [
            self.input.ready.eq(~filled.all()),
            self.output.valid.eq(filled.any()),
            self.output.payload.eq(Mux(leaves_second, entries[1], entries[0])),
        ]
        enters = self.input.valid & self.input.ready
        leaves = self.output.valid & self.output.ready
        m.d.sync += [enters_second.eq(enters_second ^ enters), leaves_second.eq(leaves_second ^ leaves)]
        for turn, entry in enumerate(entries):
            with m.If(~filled[turn]):
                m.d.sync += [entry.eq(self.input.payload), filled[turn].eq(enters & (enters_second == turn))]
            with m.Elif(leaves & (leaves_second == turn)):
                m.d.sync += filled[turn].eq(0)
        return m
