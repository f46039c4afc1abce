"""Row beats: where the beats of a tile's rows lie in the activation buffer, and which of their bytes are the rows'."""

from __future__ import annotations

from collections.abc import Mapping

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.config import ROW_BANKS
from hwgen.isa import ACT_ADDRESS_BITS, WORD_ADDRESS_BITS
from hwgen.rtl.act_buffer import PlaceLayout, row_places
from hwgen.rtl.queue import Queue

AHEAD = 4
"""Beats found before they are asked for."""


def buffer_rows_layout(bus_bytes: int) -> data.StructLayout:
    """Rows in the activation buffer, or words of another buffer, and how they lie in the beats of the bus."""
    beat_bits = bus_bytes.bit_length() - 1
    return data.StructLayout(
        {
            "opcode": 4,  # passed on with every beat
            "place": PlaceLayout,  # of the first row's first byte
            "pitch": ACT_ADDRESS_BITS,  # bytes from one row to the next in the same bank
            "banked": 1,  # rows go to successive banks; otherwise all to one
            "start": beat_bits,  # position of the first row's first byte in its first beat
            "start_step": beat_bits,  # what the next row's differs by
            "row_bytes": ACT_ADDRESS_BITS,
            "rows": WORD_ADDRESS_BITS,
        }
    )


def row_beat_layout(bus_bytes: int) -> data.StructLayout:
    """A beat of a row."""
    return data.StructLayout(
        {
            "opcode": 4,
            "place": PlaceLayout,  # of the beat's first byte, which may lie before the row
            "row_address": ACT_ADDRESS_BITS,  # of the row's first byte
            "strobe": bus_bytes,  # bytes of the row
            "row_last": 1,  # the row's last beat
            "last": 1,  # the last row's last beat
        }
    )


def row_beats(fields: Mapping[str, int], bus_bytes: int) -> list[dict[str, int]]:
    """Golden: the beats of a tile; ``fields`` are those of ``buffer_rows_layout`` and of its place."""
    places = row_places(fields["bank"], fields["address"], fields["pitch"], fields["rows"], bool(fields["banked"]))
    beats = []
    for row, (bank, address) in enumerate(places):
        start = (fields["start"] + row * fields["start_step"]) % bus_bytes
        end = start + fields["row_bytes"]
        for first in range(0, end, bus_bytes):
            row_last = first + bus_bytes >= end
            beats.append(
                {
                    "opcode": fields["opcode"],
                    "bank": bank,
                    "address": (address - start + first) % 2**ACT_ADDRESS_BITS,
                    "row_address": address % 2**ACT_ADDRESS_BITS,
                    "strobe": sum(start <= first + lane < end and 1 << lane for lane in range(bus_bytes)),
                    "row_last": int(row_last),
                    "last": int(row_last and row == len(places) - 1),
                }
            )
    return beats


class RowBeats(wiring.Component):
    """A beat per cycle, whatever the rows' lengths; rows of the next tile follow without a gap."""

    latency = 3
    """Cycles from rows that are taken to their first beat."""

    def __init__(self, bus_bytes: int) -> None:
        self.bus_bytes = bus_bytes
        super().__init__(
            {
                "rows": In(stream.Signature(buffer_rows_layout(bus_bytes))),
                "beats": Out(stream.Signature(row_beat_layout(bus_bytes))),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus_bytes = self.bus_bytes
        beat_bits = bus_bytes.bit_length() - 1
        # First stage: the next row.
        rows = Signal(buffer_rows_layout(bus_bytes), reset_less=True)
        rows_left = Signal(WORD_ADDRESS_BITS, reset_less=True)
        none_left, one_left = Signal(init=1), Signal()
        """What ``rows_left`` says, known as it comes: instructions wait to hear it."""
        fits_beat = Signal(reset_less=True)
        """Rows are no longer than a beat."""
        # Second stage: the next beat of the row that was found.
        row = Signal(
            data.StructLayout({"opcode": 4, "place": PlaceLayout, "row_address": ACT_ADDRESS_BITS, "last": 1}),
            reset_less=True,
        )
        start, tail = Signal(beat_bits, reset_less=True), Signal(beat_bits, reset_less=True)
        first = Signal(reset_less=True)
        beats_left = Signal(ACT_ADDRESS_BITS + 1 - beat_bits, reset_less=True)
        in_row, row_last = Signal(), Signal(reset_less=True)
        """There is such a beat; it is the row's last."""
        m.submodules.ahead = ahead = Queue(row_beat_layout(bus_bytes), depth=AHEAD)
        passes = Signal()
        takes_row = Signal()
        m.d.comb += [
            passes.eq(in_row & ahead.input.ready),
            takes_row.eq(~none_left & (~in_row | (row_last & ahead.input.ready))),
            self.rows.ready.eq(none_left | (takes_row & one_left)),
            self.busy.eq(~none_left | in_row | ahead.output.valid),
        ]

        with m.If(takes_row):
            # Rows lie in successive banks, and share an address until the banks start again from the first.
            next_bank = rows.place.bank == ROW_BANKS - 1
            m.d.sync += [
                rows.place.bank.eq(rows.place.bank + rows.banked),
                rows.place.address.eq(rows.place.address + Mux(rows.banked & ~next_bank, 0, rows.pitch)),
                rows.start.eq(rows.start + rows.start_step),
                rows_left.eq(rows_left - 1),
                none_left.eq(one_left),
                one_left.eq(rows_left == 2),
            ]
        with m.If(self.rows.ready):
            m.d.sync += [
                rows.eq(self.rows.payload),
                rows_left.eq(self.rows.payload.rows),
                fits_beat.eq(self.rows.payload.row_bytes <= bus_bytes),
                none_left.eq(~self.rows.valid | (self.rows.payload.rows == 0)),
                one_left.eq(self.rows.valid & (self.rows.payload.rows == 1)),
            ]

        # Where a row ends is one addition; whether in its first beat, no long one; and in whole beats, no second.
        end = Signal(beat_bits + 2)
        beats = Signal.like(beats_left)
        m.d.comb += [
            end.eq(rows.start + rows.row_bytes[: beat_bits + 1]),
            beats.eq((rows.row_bytes + (rows.start + bus_bytes - 1)[: beat_bits + 1]) >> beat_bits),
        ]
        with m.If(passes):
            m.d.sync += [
                beats_left.eq(beats_left - 1),
                row_last.eq(beats_left == 2),
                in_row.eq(~row_last),
                first.eq(0),
                row.place.address.eq(row.place.address + bus_bytes),
            ]
        with m.If(takes_row):
            m.d.sync += [
                row.opcode.eq(rows.opcode),
                row.place.bank.eq(rows.place.bank),
                row.place.address.eq(rows.place.address - rows.start),
                row.row_address.eq(rows.place.address),
                row.last.eq(one_left),
                start.eq(rows.start),
                tail.eq(end[:beat_bits]),
                first.eq(1),
                beats_left.eq(beats),
                row_last.eq(fits_beat & (end <= bus_bytes)),
                in_row.eq(1),
            ]

        beat = Signal(row_beat_layout(bus_bytes))
        everything = Const((1 << bus_bytes) - 1, bus_bytes)
        after_start = (everything << start)[:bus_bytes]
        before_end = ~Mux(tail == 0, 0, everything << tail)[:bus_bytes]
        m.d.comb += [
            beat.opcode.eq(row.opcode),
            beat.place.eq(row.place),
            beat.row_address.eq(row.row_address),
            beat.strobe.eq(Mux(first, after_start, everything) & Mux(row_last, before_end, everything)),
            beat.row_last.eq(row_last),
            beat.last.eq(row_last & row.last),
            ahead.input.payload.eq(beat),
            ahead.input.valid.eq(in_row),
        ]
        connect(m, ahead.output, flipped(self.beats))
        return m
