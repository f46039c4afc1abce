"""Write port: sends bursts and their data over the AXI write channels and counts the answers."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.axi import ADDRESS_BITS, BurstLayout, write_data_layout
from hwgen.rtl.queue import Queue

MAX_OUTSTANDING = 64
"""Bursts in flight: enough to hide the memory's latency behind bursts of one beat."""


class WritePort(wiring.Component):
    """Data follow their burst's address, and the memory answers bursts in order."""

    def __init__(self, bus_bits: int) -> None:
        super().__init__(
            {
                "bursts": In(stream.Signature(BurstLayout)),
                "beats": In(stream.Signature(write_data_layout(bus_bits))),
                "acknowledged": Out(1),  # pulse: the memory has answered an instruction's last burst
                "waiting": Out(1),  # data is offered and not taken
                "transferred": Out(1),  # a beat leaves
                "error": Out(1),  # the memory answers with an error
                "awaddr": Out(ADDRESS_BITS),
                "awlen": Out(8),
                "awvalid": Out(1),
                "awready": In(1),
                "wdata": Out(bus_bits),
                "wstrb": Out(bus_bits // 8),
                "wlast": Out(1),
                "wvalid": Out(1),
                "wready": In(1),
                "bresp": In(2),
                "bvalid": In(1),
                "bready": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.lengths = lengths = Queue(8, depth=MAX_OUTSTANDING)
        m.submodules.unanswered = unanswered = Queue(1, depth=MAX_OUTSTANDING)

        # A burst is answered after its data have left: where there is room for its answer, there is for its length.
        free = Signal()
        m.d.comb += [
            free.eq((~self.awvalid | self.awready) & unanswered.input.ready),
            self.bursts.ready.eq(free),
        ]
        with m.If(self.awready):
            m.d.sync += self.awvalid.eq(0)
        started = self.bursts.valid & free
        with m.If(started):
            m.d.sync += [
                self.awvalid.eq(1),
                self.awaddr.eq(self.bursts.payload.address),
                self.awlen.eq(self.bursts.payload.length),
            ]
        m.d.comb += [
            lengths.input.valid.eq(started),
            lengths.input.payload.eq(self.bursts.payload.length),
            unanswered.input.valid.eq(started),
            unanswered.input.payload.eq(self.bursts.payload.last),
        ]

        position = Signal(8)
        m.d.comb += [
            self.wvalid.eq(self.beats.valid & lengths.output.valid),
            self.wdata.eq(self.beats.payload.data),
            self.wstrb.eq(self.beats.payload.strobe),
            self.wlast.eq(position == lengths.output.payload),
            self.transferred.eq(self.wvalid & self.wready),
            self.beats.ready.eq(self.wready & lengths.output.valid),
            lengths.output.ready.eq(self.transferred & self.wlast),
            self.waiting.eq(self.wvalid & ~self.wready),
        ]
        with m.If(self.transferred):
            m.d.sync += position.eq(position + 1)
            with m.If(self.wlast):
                m.d.sync += position.eq(0)

        m.d.comb += [
            self.bready.eq(1),
            unanswered.output.ready.eq(self.bvalid),
            self.acknowledged.eq(self.bvalid & unanswered.output.payload),
            self.error.eq(self.bvalid & (self.bresp != 0)),
        ]
        return m
