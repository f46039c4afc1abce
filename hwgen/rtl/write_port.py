"""Write port: sends bursts and their data over the AXI write channels and counts the answers."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.axi import ADDRESS_BITS, MAX_BURST_BEATS, BurstLayout, write_data_layout
from hwgen.rtl.queue import Queue
from hwgen.rtl.register_slice import RegisterSlice

MAX_OUTSTANDING = 64
"""Bursts in flight: enough to hide the memory's latency behind bursts of one beat."""


class WritePort(wiring.Component):
    """A burst in two cycles. Data follow their burst's address, and the memory answers bursts in order."""

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
        length_bits = MAX_BURST_BEATS.bit_length() - 1
        m.submodules.lengths = lengths = Queue(length_bits, depth=MAX_OUTSTANDING)
        m.submodules.unanswered = unanswered = Queue(1, depth=MAX_OUTSTANDING)

        # A burst is answered after its data have left: where there is room for its answer, there is for its length.
        # That AW is free is known in the cycle after: nothing before it waits to hear what the bus does.
        free, started, has_started = Signal(), Signal(), Signal()
        m.d.comb += [self.bursts.ready.eq(free), started.eq(self.bursts.valid & free)]
        m.d.sync += [
            free.eq((~self.awvalid | self.awready) & ~started & unanswered.input.ready),
            has_started.eq(started),
        ]
        with m.If(self.awready):
            m.d.sync += self.awvalid.eq(0)
        with m.If(started):
            m.d.sync += [
                self.awvalid.eq(1),
                self.awaddr.eq(self.bursts.payload.address),
                self.awlen.eq(self.bursts.payload.length),
            ]
        m.d.comb += [
            lengths.input.valid.eq(has_started),
            lengths.input.payload.eq(self.awlen),
            unanswered.input.valid.eq(started),
            unanswered.input.payload.eq(self.bursts.payload.last),
        ]

        # The bus is far: what it does reaches neither the beats nor the lengths.
        m.submodules.w = w = RegisterSlice(data.StructLayout({"beat": self.beats.payload.shape(), "last": 1}))
        position = Signal(length_bits)
        last, sent = Signal(), Signal()
        m.d.comb += [
            last.eq(position == lengths.output.payload),
            w.input.valid.eq(self.beats.valid & lengths.output.valid),
            w.input.payload.beat.eq(self.beats.payload),
            w.input.payload.last.eq(last),
            self.beats.ready.eq(w.input.ready & lengths.output.valid),
            sent.eq(w.input.valid & w.input.ready),
            lengths.output.ready.eq(sent & last),
            self.wvalid.eq(w.output.valid),
            self.wdata.eq(w.output.payload.beat.data),
            self.wstrb.eq(w.output.payload.beat.strobe),
            self.wlast.eq(w.output.payload.last),
            w.output.ready.eq(self.wready),
            self.transferred.eq(self.wvalid & self.wready),
            self.waiting.eq(self.wvalid & ~self.wready),
        ]
        with m.If(sent):
            m.d.sync += position.eq(Mux(last, 0, position + 1))

        m.d.comb += [
            self.bready.eq(1),
            unanswered.output.ready.eq(self.bvalid),
            self.acknowledged.eq(self.bvalid & unanswered.output.payload),
            self.error.eq(self.bvalid & (self.bresp != 0)),
        ]
        return m
