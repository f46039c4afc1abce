"""Burst splitter: a transfer of any length becomes AXI bursts that cross no 4 KiB boundary."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal
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
    """One burst per cycle; a request is accepted in the cycle after its predecessor's last burst has left.

    So whoever asks does not wait to hear what the bus does.
    """

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
        shift = self.bus_bytes.bit_length() - 1
        place_bits = MAX_BURST_BEATS.bit_length() - 1
        active = Signal()
        address = Signal(ADDRESS_BITS, reset_less=True)
        # Bursts end where their last beat's place is, or with their window of memory.
        windows_left = Signal(BEAT_COUNT_BITS + 1 - place_bits, reset_less=True)
        end = Signal(place_bits, reset_less=True)
        last = Signal(reset_less=True)
        place, window = address[shift : shift + place_bits], address[shift + place_bits :]
        is_final = Signal(reset_less=True)
        """No windows are left."""
        m.d.comb += [
            self.bursts.valid.eq(active),
            self.bursts.payload.address.eq(address),
            self.bursts.payload.length.eq(Mux(is_final, end, MAX_BURST_BEATS - 1) - place),
            self.bursts.payload.last.eq(last & is_final),
            self.requests.ready.eq(~active),
        ]
        with m.If(self.bursts.valid & self.bursts.ready):
            m.d.sync += [
                active.eq(~is_final),
                address.eq(Cat(Const(0, shift + place_bits), window + 1)),
                windows_left.eq(windows_left - 1),
                is_final.eq(windows_left == 1),
            ]
        with m.If(self.requests.valid & self.requests.ready):
            request = self.requests.payload
            m.d.sync += [
                active.eq(1),
                address.eq(request.address),
                Cat(end, windows_left).eq(request.end),
                is_final.eq(request.single),
                last.eq(request.last),
            ]
        return m
