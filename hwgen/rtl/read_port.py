"""Read port: shares the AXI read channels between clients, keeping several bursts in flight."""

from __future__ import annotations

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.axi import ADDRESS_BITS, BurstLayout
from hwgen.rtl.queue import Queue

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
        m.submodules.owners = owners = Queue(max(1, (self.clients - 1).bit_length()), depth=MAX_OUTSTANDING)
        owner = owners.output

        # AR is registered: once valid it may not change before it is accepted.
        free = Signal()
        m.d.comb += free.eq((~self.arvalid | self.arready) & owners.input.ready)
        with m.If(self.arready):
            m.d.sync += self.arvalid.eq(0)
        granted: Signal | int = 0
        for index in range(self.clients):
            client = self.bursts[index]
            m.d.comb += client.ready.eq(free & ~granted)
            with m.If(client.valid & client.ready):
                m.d.sync += [
                    self.arvalid.eq(1),
                    self.araddr.eq(client.payload.address),
                    self.arlen.eq(client.payload.length),
                ]
                m.d.comb += [owners.input.valid.eq(1), owners.input.payload.eq(index)]
            granted = granted | client.valid

        ready = Array(self.beats[index].ready for index in range(self.clients))[owner.payload]
        for index in range(self.clients):
            m.d.comb += [
                self.beats[index].payload.eq(self.rdata),
                self.beats[index].valid.eq(self.rvalid & owner.valid & (owner.payload == index)),
            ]
        m.d.comb += [
            self.rready.eq(owner.valid & ready),
            self.transferred.eq(self.rvalid & self.rready),
            owner.ready.eq(self.transferred & self.rlast),
            self.waiting.eq(owner.valid & ~self.rvalid),
            self.error.eq(self.transferred & (self.rresp != 0)),
        ]
        return m
