"""Burst splitter: a transfer of any length becomes AXI bursts that cross no 4 KiB boundary."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.axi import ADDRESS_BITS, BEAT_COUNT_BITS, MAX_BURST_BEATS, BurstLayout, RequestLayout


def split_bursts(address: int, beats: int, bus_bytes: int) -> list[tuple[int, int]]:
    """Golden: (address, beats) of each burst of a transfer."""
    bursts = []
    while beats:
        size = min(beats, MAX_BURST_BEATS - address // bus_bytes % MAX_BURST_BEATS)
        bursts.append((address, size))
        address, beats = address + size * bus_bytes, beats - size
    return bursts


class BurstSplitter(wiring.Component):
    """One burst per cycle; a request is accepted as its predecessor's last burst leaves."""

    def __init__(self, bus_bits: int) -> None:
        self.bus_bytes = bus_bits // 8
        super().__init__(
            {
                "requests": In(stream.Signature(RequestLayout)),  # transfers, of at least one beat
                "bursts": Out(stream.Signature(BurstLayout)),  # their bursts, in order
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        address = Signal(ADDRESS_BITS, reset_less=True)
        remaining = Signal(BEAT_COUNT_BITS)
        last = Signal(reset_less=True)
        shift = self.bus_bytes.bit_length() - 1
        to_boundary = Signal(range(MAX_BURST_BEATS + 1))
        size = Signal(range(MAX_BURST_BEATS + 1))
        m.d.comb += [
            to_boundary.eq(MAX_BURST_BEATS - address[shift : shift + MAX_BURST_BEATS.bit_length() - 1]),
            size.eq(Mux(remaining < to_boundary, remaining, to_boundary)),
            self.bursts.valid.eq(remaining != 0),
            self.bursts.payload.address.eq(address),
            self.bursts.payload.length.eq(size - 1),
            self.bursts.payload.last.eq(last & (remaining == size)),
        ]
        with m.If(self.bursts.valid & self.bursts.ready):
            m.d.sync += [address.eq(address + (size << shift)), remaining.eq(remaining - size)]
        m.d.comb += self.requests.ready.eq((remaining == 0) | (self.bursts.ready & (remaining == size)))
        with m.If(self.requests.valid & self.requests.ready):
            m.d.sync += [
                address.eq(self.requests.payload.address),
                remaining.eq(self.requests.payload.beats),
                last.eq(self.requests.payload.last),
            ]
        return m
