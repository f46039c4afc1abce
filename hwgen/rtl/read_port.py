"""Read port: shares the AXI read channels between clients, keeping several bursts in flight."""

from __future__ import annotations

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.axi import ADDRESS_BITS, BurstLayout

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
        # The next burst's owner waits in a register: every beat's way depends on it.
        m.submodules.owners = owners = fifo.SyncFIFOBuffered(
            width=max(1, (self.clients - 1).bit_length()), depth=MAX_OUTSTANDING
        )

        # AR is registered: once valid it may not change before it is accepted.
        free = Signal()
        m.d.comb += free.eq((~self.arvalid | self.arready) & owners.w_rdy)
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
                m.d.comb += [owners.w_en.eq(1), owners.w_data.eq(index)]
            granted = granted | client.valid

        ready = Array(self.beats[index].ready for index in range(self.clients))[owners.r_data]
        for index in range(self.clients):
            m.d.comb += [
                self.beats[index].payload.eq(self.rdata),
                self.beats[index].valid.eq(self.rvalid & owners.r_rdy & (owners.r_data == index)),
            ]
        m.d.comb += [
            self.rready.eq(owners.r_rdy & ready),
            self.transferred.eq(self.rvalid & self.rready),
            owners.r_en.eq(self.transferred & self.rlast),
            self.waiting.eq(owners.r_rdy & ~self.rvalid),
            self.error.eq(self.transferred & (self.rresp != 0)),
        ]
        return m
