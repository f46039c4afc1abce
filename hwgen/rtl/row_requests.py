"""Row requests: the transfers over the bus that bring or take a tile, one per row."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.axi import ADDRESS_BITS, BEAT_COUNT_BITS, MAX_BURST_BEATS, RequestLayout


def memory_rows_layout(bus_bytes: int) -> data.StructLayout:
    """Rows of bytes in memory, at any alignment."""
    return data.StructLayout(
        {
            "address": ADDRESS_BITS,  # of the first row's first byte
            "pitch": 24,  # bytes from one row to the next
            "row_bytes": BEAT_COUNT_BITS + bus_bytes.bit_length() - 1,
            "rows": 16,
        }
    )


def row_requests(address: int, pitch: int, row_bytes: int, rows: int, bus_bytes: int) -> list[tuple[int, int]]:
    """Golden: (bus-aligned address, beats) of each row's transfer."""
    starts = [(address + row * pitch) % bus_bytes for row in range(rows)]
    return [(address + row * pitch - start, -(-(start + row_bytes) // bus_bytes)) for row, start in enumerate(starts)]


class RowRequests(wiring.Component):
    """A request per cycle; the next rows are accepted as the last request leaves."""

    def __init__(self, bus_bytes: int) -> None:
        self.bus_bytes = bus_bytes
        super().__init__(
            {
                "rows": In(stream.Signature(memory_rows_layout(bus_bytes))),
                "requests": Out(stream.Signature(RequestLayout)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat_bits = self.bus_bytes.bit_length() - 1
        current = Signal(memory_rows_layout(self.bus_bytes), reset_less=True)
        left = Signal(16, reset_less=True)
        some_left, one_left = Signal(), Signal(reset_less=True)
        """What ``left`` says, known as it comes: instructions wait to hear it."""
        window_bits = beat_bits + MAX_BURST_BEATS.bit_length() - 1
        exceeds_windows = Signal(reset_less=True)
        """Rows are as long as two of the longest bursts: how many windows others end in shows two bits."""
        end = current.address[:window_bits] + current.row_bytes - 1
        sent = self.requests.valid & self.requests.ready
        m.d.comb += [
            self.busy.eq(some_left),
            self.requests.valid.eq(some_left),
            self.requests.payload.address.eq(Cat(Const(0, beat_bits), current.address[beat_bits:])),
            self.requests.payload.end.eq(end >> beat_bits),
            self.requests.payload.single.eq(~exceeds_windows & ~end[window_bits : window_bits + 2].any()),
            self.requests.payload.last.eq(one_left),
            self.rows.ready.eq(~some_left | (self.requests.ready & one_left)),
        ]
        with m.If(sent):
            m.d.sync += [
                current.address.eq(current.address + current.pitch),
                left.eq(left - 1),
                some_left.eq(~one_left),
                one_left.eq(left == 2),
            ]
        with m.If(self.rows.ready):
            m.d.sync += [
                current.eq(self.rows.payload),
                exceeds_windows.eq(self.rows.payload.row_bytes[window_bits + 1 :].any()),
                left.eq(self.rows.payload.rows),
                some_left.eq(self.rows.valid & (self.rows.payload.rows != 0)),
                one_left.eq(self.rows.payload.rows == 1),
            ]
        return m
