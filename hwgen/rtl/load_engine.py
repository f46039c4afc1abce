"""Load engine: brings activations, weights and requantisation parameters from memory into the buffers."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import (
    ACT_ADDRESS_BITS,
    INSTRUCTION_BITS,
    PARAMETER_BYTES,
    WORD_ADDRESS_BITS,
    HeaderLayout,
    Opcode,
    Region,
    TransferLayout,
    WordLoadLayout,
)
from hwgen.rtl.act_buffer import load_layout
from hwgen.rtl.axi import RequestLayout

DESCRIPTORS = 4
"""Instructions whose data may be awaited at once; hides the memory's latency behind short loads."""


class LoadEngine(wiring.Component):
    """Requests run ahead of the data: the next instruction's requests leave while this one's data arrive."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "instructions": In(stream.Signature(INSTRUCTION_BITS)),  # whose waits are satisfied
                "bases": In(32).array(len(Region)),
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

        descriptor_layout = data.StructLayout(
            {
                "opcode": 4,
                "address": ACT_ADDRESS_BITS,  # byte address in its bank, or word address of a word load
                "pitch": ACT_ADDRESS_BITS,
                "bank": 2,
                "banked": 1,
                "start": beat_bits,  # position of the row's first byte in its first beat
                "start_step": beat_bits,  # what the next row's differs by
                "row_bytes": ACT_ADDRESS_BITS,
                "rows": WORD_ADDRESS_BITS,  # rows, or words
            }
        )
        m.submodules.descriptors = descriptors = fifo.SyncFIFO(width=descriptor_layout.size, depth=DESCRIPTORS)

        # Requests: one per row of activations, one for all words.
        header = data.View(HeaderLayout, self.instructions.payload)
        transfer = data.View(TransferLayout, self.instructions.payload)
        words = data.View(WordLoadLayout, self.instructions.payload)
        is_act = Signal()
        m.d.comb += is_act.eq(header.opcode == Opcode.LOAD_ACT)
        base = Array(self.bases)[transfer.region]
        address = Signal(32, reset_less=True)
        pitch = Signal(24, reset_less=True)
        row_bytes = Signal(ACT_ADDRESS_BITS, reset_less=True)
        word_beats = Signal(22, reset_less=True)
        rows_left = Signal(16)
        accept = Signal()
        sent = Signal()
        m.d.comb += [
            self.requests.valid.eq(rows_left != 0),
            self.requests.payload.address.eq(Cat(Const(0, beat_bits), address[beat_bits:])),
            self.requests.payload.beats.eq(
                Mux(word_beats != 0, word_beats, (address[:beat_bits] + row_bytes + bus_bytes - 1) >> beat_bits)
            ),
            sent.eq(self.requests.valid & self.requests.ready),
            self.instructions.ready.eq(((rows_left == 0) | (sent & (rows_left == 1))) & descriptors.w_rdy),
            accept.eq(self.instructions.valid & self.instructions.ready),
        ]
        with m.If(sent):
            m.d.sync += [address.eq(address + pitch), rows_left.eq(rows_left - 1)]
        with m.If(accept):
            m.d.sync += [
                address.eq(base + transfer.dram_offset),
                pitch.eq(transfer.dram_pitch),
                row_bytes.eq(transfer.row_bytes),
                rows_left.eq(Mux(is_act, transfer.rows, 1)),
                word_beats.eq(Mux(is_act, 0, words.beats)),
            ]
        incoming = Signal(descriptor_layout)
        m.d.comb += [
            incoming.opcode.eq(header.opcode),
            incoming.address.eq(Mux(is_act, transfer.act_address, words.word_address)),
            incoming.pitch.eq(transfer.act_pitch),
            incoming.bank.eq(transfer.bank),
            incoming.banked.eq(transfer.banked),
            incoming.start.eq((base + transfer.dram_offset)[:beat_bits]),
            incoming.start_step.eq(transfer.dram_pitch),
            incoming.row_bytes.eq(transfer.row_bytes),
            incoming.rows.eq(Mux(is_act, transfer.rows, words.words)),
            descriptors.w_data.eq(incoming.as_value()),
            descriptors.w_en.eq(accept),
        ]

        # Data: rows of bytes to the activation buffer, or beats gathered into words.
        current = Signal(descriptor_layout, reset_less=True)
        left = Signal(WORD_ADDRESS_BITS)
        finished = Signal()
        m.d.comb += [
            descriptors.r_en.eq(descriptors.r_rdy & ((left == 0) | finished)),
            self.busy.eq((left != 0) | descriptors.r_rdy | (rows_left != 0)),
        ]
        index = Signal(ACT_ADDRESS_BITS - beat_bits)
        receives_act = Signal()
        span = Signal(ACT_ADDRESS_BITS + 1)
        is_last_beat = Signal()
        beats_per_word = Mux(current.opcode == Opcode.LOAD_WEIGHT, beats_per_weight, beats_per_parameter)
        m.d.comb += [
            receives_act.eq(current.opcode == Opcode.LOAD_ACT),
            span.eq(current.start + current.row_bytes),
            is_last_beat.eq(
                Mux(
                    receives_act,
                    index == ((span + bus_bytes - 1) >> beat_bits) - 1,
                    index == beats_per_word - 1,
                )
            ),
        ]
        first_mask = (Const((1 << bus_bytes) - 1, bus_bytes) << current.start)[:bus_bytes]
        tail = span[:beat_bits]
        last_mask = Mux(tail == 0, (1 << bus_bytes) - 1, (Const(1, bus_bytes + 1) << tail) - 1)[:bus_bytes]
        all_ones = Const((1 << bus_bytes) - 1, bus_bytes)
        taken = Signal()
        m.d.comb += [
            self.act.payload.place.bank.eq(current.bank),
            self.act.payload.place.address.eq(current.address + (index << beat_bits) - current.start),
            self.act.payload.data.eq(self.beats.payload),
            self.act.payload.strobe.eq(Mux(index == 0, first_mask, all_ones) & Mux(is_last_beat, last_mask, all_ones)),
            self.act.valid.eq(self.beats.valid & (left != 0) & receives_act),
            self.beats.ready.eq((left != 0) & (~receives_act | self.act.ready)),
            taken.eq(self.beats.valid & self.beats.ready),
            finished.eq(taken & is_last_beat & (left == 1)),
        ]
        advance = Mux(receives_act, Mux(current.banked & (current.bank != ROW_BANKS - 1), 0, current.pitch), 1)
        gathered = Signal(self.config.bus_bits * max(beats_per_weight, beats_per_parameter), reset_less=True)
        m.d.sync += [self.weight_write.eq(0), self.parameter_write.eq(0), self.retire.eq(finished)]
        with m.If(taken):
            with m.If(~receives_act):
                m.d.sync += gathered.word_select(index[:8], self.config.bus_bits).eq(self.beats.payload)
            m.d.sync += index.eq(index + 1)
            with m.If(is_last_beat):
                m.d.sync += [
                    index.eq(0),
                    left.eq(left - 1),
                    current.address.eq(current.address + advance),
                    current.start.eq(current.start + current.start_step),
                    self.weight_write.eq(current.opcode == Opcode.LOAD_WEIGHT),
                    self.parameter_write.eq(current.opcode == Opcode.LOAD_PARAM),
                    self.word_address.eq(current.address),
                ]
                with m.If(current.banked):
                    m.d.sync += current.bank.eq(current.bank + 1)
        with m.If(descriptors.r_en):
            m.d.sync += [current.eq(descriptors.r_data), left.eq(data.View(descriptor_layout, descriptors.r_data).rows)]
        m.d.comb += self.word.eq(gathered)
        return m


def parameter_bits(word: Signal, lanes: int) -> Value:
    """A gathered parameter word without its unused bytes: ``lanes`` times ``ParameterLayout``."""
    entries = (word[8 * PARAMETER_BYTES * lane : 8 * PARAMETER_BYTES * (lane + 1)] for lane in range(lanes))
    return Cat(Cat(entry[:63], entry[64:70]) for entry in entries)
