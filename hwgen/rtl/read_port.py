"""Read port: shares the AXI read channels between clients, keeping several bursts in flight."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.axi import ADDRESS_BITS, BurstLayout
from hwgen.rtl.queue import Queue
from hwgen.rtl.register_slice import RegisterSlice

MAX_OUTSTANDING = 64
"""Bursts in flight: enough to hide the memory's latency behind bursts of one beat."""


class ReadPort(wiring.Component):
    """Bursts of lower-numbered clients go first; data return in the order of the bursts."""

    def __init__(self, clients: int, bus_bits: int) -> None:
        self.clients = clients
        super().__init__(
            {
                "bursts": In(stream.Signature(BurstLayout)).array(clients),  # each client's bursts
                "beats": Out(stream.Signature(bus_bits)).array(clients),  # each client's data, in order
                "waiting": Out(1),  # bursts are in flight and no data is there
                "transferred": Out(1),  # a beat arrives
                "error": Out(1),  # the memory answers with an error
                "araddr": Out(ADDRESS_BITS),
                "arlen": Out(8),
                "arvalid": Out(1),
                "arready": In(1),
                "rdata": In(bus_bits),
                "rresp": In(2),
                "rlast": In(1),
                "rvalid": In(1),
                "rready": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        client_bits = max(1, (self.clients - 1).bit_length())
        # The owners of the two oldest bursts are in registers, those of the others in a queue.
        m.submodules.owners = owners = Queue(client_bits, depth=MAX_OUTSTANDING - 2)
        queued = owners.output
        owner, next_owner = Signal(client_bits, reset_less=True), Signal(client_bits, reset_less=True)
        owned, next_owned = Signal(), Signal()
        """Whose the data of the oldest burst are, and of the one after it; there is such a burst."""

        # The bus is far: nothing before AR waits to hear what it does.
        m.submodules.ar = ar = RegisterSlice(data.StructLayout({"address": ADDRESS_BITS, "length": 8}))
        free, starts = Signal(), Signal()
        m.d.comb += [
            free.eq(ar.input.ready & owners.input.ready),
            starts.eq(free & Cat(client.valid for client in self.bursts).any()),
            ar.input.valid.eq(starts),
            owners.input.valid.eq(starts),
            self.araddr.eq(ar.output.payload.address),
            self.arlen.eq(ar.output.payload.length),
            self.arvalid.eq(ar.output.valid),
            ar.output.ready.eq(self.arready),
        ]
        blocked: Signal | int = 0
        for index in range(self.clients):
            client = self.bursts[index]
            m.d.comb += client.ready.eq(free & ~blocked)
            blocked = blocked | client.valid
        for index in reversed(range(self.clients)):
            burst = self.bursts[index].payload
            with m.If(self.bursts[index].valid):
                m.d.comb += [
                    ar.input.payload.address.eq(burst.address),
                    ar.input.payload.length.eq(burst.length),
                    owners.input.payload.eq(index),
                ]

        # Whether a burst ends is known late, from who takes its data: it only enables the owner's registers, and the
        # queue hears of it a cycle later.
        ends = Signal()
        m.d.comb += queued.ready.eq(~next_owned)
        with m.If(ends | ~owned):
            m.d.sync += [
                owner.eq(Mux(next_owned, next_owner, queued.payload)),
                owned.eq(next_owned | queued.valid),
                next_owned.eq(0),
            ]
        with m.Elif(~next_owned):
            m.d.sync += next_owned.eq(queued.valid)
        with m.If(~next_owned):
            m.d.sync += next_owner.eq(queued.payload)

        # A beat that is there has an owner: data come two cycles after their burst was accepted here, or later.
        ready = Array(self.beats[index].ready for index in range(self.clients))[owner]
        for index in range(self.clients):
            m.d.comb += [
                self.beats[index].payload.eq(self.rdata),
                self.beats[index].valid.eq(self.rvalid & (owner == index)),
            ]
        m.d.comb += [
            self.rready.eq(ready),
            self.transferred.eq(self.rvalid & self.rready),
            ends.eq(self.transferred & self.rlast),
            self.waiting.eq((owned | queued.valid) & ~self.rvalid),
            self.error.eq(self.transferred & (self.rresp != 0)),
        ]
        return m
