"""Load engine: brings activations, weights and requantisation parameters from memory into the buffers."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.config import AcceleratorConfig
from hwgen.isa import (
    PARAMETER_BYTES,
    WORD_ADDRESS_BITS,
    HeaderLayout,
    Opcode,
    TransferLayout,
    WordLoadLayout,
)
from hwgen.rtl.act_buffer import load_layout
from hwgen.rtl.axi import RequestLayout
from hwgen.rtl.instruction_gate import ReleasedTransferLayout
from hwgen.rtl.queue import Queue
from hwgen.rtl.row_beats import RowBeats, buffer_rows_layout
from hwgen.rtl.row_requests import RowRequests

DESCRIPTORS = 16
"""Instructions whose data may be awaited at once; hides the memory's latency behind short loads."""


class LoadEngine(wiring.Component):
    """Requests run ahead of the data: the next instruction's requests leave while this one's data arrive."""

    data_latency = 3
    """Cycles from a request to its data, at the least: splitter, read port and memory each take one."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "instructions": In(stream.Signature(ReleasedTransferLayout)),  # whose waits are satisfied
                "requests": Out(stream.Signature(RequestLayout)),
                "beats": In(stream.Signature(config.bus_bits)),
                "act": Out(stream.Signature(load_layout(config.bus_bytes))),  # to the activation buffer
                "word": Out(8 * max(config.multipliers, PARAMETER_BYTES * config.requant_lanes)),
                "word_address": Out(WORD_ADDRESS_BITS),
                "weight_write": Out(1),  # write `word` to the weight buffer
                "parameter_write": Out(1),  # write `word` to the parameter buffer
                "retire": Out(1),  # pulse: an instruction's data are in place
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus_bytes = self.config.bus_bytes
        beat_bits = bus_bytes.bit_length() - 1
        beats_per_weight = -(-self.config.multipliers // bus_bytes)
        beats_per_parameter = -(-PARAMETER_BYTES * self.config.requant_lanes // bus_bytes)
        m.submodules.row_requests = row_requests = RowRequests(bus_bytes)
        m.submodules.row_beats = row_beats = RowBeats(bus_bytes)
        rows_layout = buffer_rows_layout(bus_bytes)
        m.submodules.descriptors = descriptors = Queue(rows_layout, depth=DESCRIPTORS)

        # An instruction becomes requests now, and rows to put its beats into when they come. Words are rows that begin
        # on a beat and are asked for as one.
        header = data.View(HeaderLayout, self.instructions.payload.instruction)
        transfer = data.View(TransferLayout, self.instructions.payload.instruction)
        words = data.View(WordLoadLayout, self.instructions.payload.instruction)
        is_act, is_weight = header.opcode == Opcode.LOAD_ACT, header.opcode == Opcode.LOAD_WEIGHT
        word_bytes = Mux(is_weight, beats_per_weight * bus_bytes, beats_per_parameter * bus_bytes)
        rows = Signal(rows_layout)
        accept = Signal()
        m.d.comb += [
            accept.eq(self.instructions.valid & self.instructions.ready),
            row_requests.rows.valid.eq(accept),
            row_requests.rows.payload.address.eq(self.instructions.payload.address),
            row_requests.rows.payload.pitch.eq(transfer.dram_pitch),
            row_requests.rows.payload.row_bytes.eq(Mux(is_act, transfer.row_bytes, words.beats << beat_bits)),
            row_requests.rows.payload.rows.eq(Mux(is_act, transfer.rows, 1)),
            rows.opcode.eq(header.opcode),
            rows.place.bank.eq(transfer.bank),
            rows.place.address.eq(Mux(is_act, transfer.act_address, words.word_address)),
            rows.pitch.eq(Mux(is_act, transfer.act_pitch, 1)),
            rows.banked.eq(is_act & transfer.banked),
            rows.start.eq(Mux(is_act, self.instructions.payload.address, 0)),
            rows.start_step.eq(Mux(is_act, transfer.dram_pitch, 0)),
            rows.row_bytes.eq(Mux(is_act, transfer.row_bytes, word_bytes)),
            rows.rows.eq(Mux(is_act, transfer.rows, words.words)),
            descriptors.input.payload.eq(rows),
            descriptors.input.valid.eq(accept),
        ]
        # That there is room is known in the cycle after: it does not go away until an instruction is accepted.
        has_room = row_requests.rows.ready & descriptors.input.ready
        m.d.sync += self.instructions.ready.eq(has_room & ~accept)
        connect(m, row_requests.requests, flipped(self.requests))
        connect(m, descriptors.output, row_beats.rows)

        # Data: bytes to the activation buffer, or beats gathered into words. What was taken is in its place when the
        # next beat is taken. A beat's place is found before it comes: its request takes ``data_latency``.
        beat = row_beats.beats.payload
        receives_act = beat.opcode == Opcode.LOAD_ACT
        taken = Signal()
        retiring = Signal()
        m.d.comb += [
            self.act.payload.place.eq(beat.place),
            self.act.payload.data.eq(self.beats.payload),
            self.act.payload.strobe.eq(beat.strobe),
            self.act.valid.eq(self.beats.valid & receives_act),
            self.beats.ready.eq(self.act.ready),
            taken.eq(self.beats.valid & self.beats.ready),
            row_beats.beats.ready.eq(self.beats.valid & self.act.ready),
            self.retire.eq(retiring & self.act.ready),
            self.busy.eq(row_requests.busy | descriptors.output.valid | row_beats.busy | retiring),
        ]
        gathered = Signal(
            data.ArrayLayout(self.config.bus_bits, max(beats_per_weight, beats_per_parameter)), reset_less=True
        )
        awaits = Signal(len(gathered), init=1)
        """Which beat of a word comes next, a bit each: it enables registers all over the chip."""
        m.d.sync += [self.weight_write.eq(0), self.parameter_write.eq(0)]
        with m.If(self.act.ready):
            m.d.sync += retiring.eq(taken & beat.last)
        # What is on the bus goes to the next place of the word, whether it is taken yet or not.
        m.d.sync += self.word_address.eq(beat.row_address)
        for place, awaited in zip(gathered, awaits, strict=True):
            with m.If(awaited):
                m.d.sync += place.eq(self.beats.payload)
        with m.If(taken):
            m.d.sync += [
                awaits.eq(Mux(beat.row_last, 1, awaits << 1)),
                self.weight_write.eq(beat.row_last & (beat.opcode == Opcode.LOAD_WEIGHT)),
                self.parameter_write.eq(beat.row_last & (beat.opcode == Opcode.LOAD_PARAM)),
            ]
        m.d.comb += self.word.eq(gathered)
        return m


def parameter_bits(word: Signal, lanes: int) -> Value:
    """A gathered parameter word without its unused bytes: ``lanes`` times ``ParameterLayout``."""
    entries = (word[8 * PARAMETER_BYTES * lane : 8 * PARAMETER_BYTES * (lane + 1)] for lane in range(lanes))
    return Cat(Cat(entry[:63], entry[64:70]) for entry in entries)
