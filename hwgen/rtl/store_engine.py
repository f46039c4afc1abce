"""Store engine: writes rows of the activation buffer to memory."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.config import AcceleratorConfig
from hwgen.isa import TransferLayout
from hwgen.rtl.act_buffer import store_layout
from hwgen.rtl.axi import RequestLayout, write_data_layout
from hwgen.rtl.instruction_gate import ReleasedTransferLayout
from hwgen.rtl.queue import Queue
from hwgen.rtl.row_beats import RowBeats
from hwgen.rtl.row_requests import RowRequests

BEAT_BUFFER = 16
"""Beats on their way from the activation buffer to the bus: more than a read takes cycles."""
IN_FLIGHT = 16
"""Instructions not yet acknowledged."""


class StoreEngine(wiring.Component):
    """Instructions follow one another without a gap.

    Each retires when the memory has acknowledged all of it, so that a later load may read it.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "instructions": In(stream.Signature(ReleasedTransferLayout)),  # whose waits are satisfied
                "requests": Out(stream.Signature(RequestLayout)),
                "places": Out(stream.Signature(store_layout(config.bus_bytes))),  # beats to read
                "stored_valid": In(1),  # one of those beats is there, in their order
                "stored": In(config.bus_bits),
                "beats": Out(stream.Signature(write_data_layout(config.bus_bits))),
                "acknowledged": In(1),  # pulse: all of an instruction is in memory
                "retire": Out(1),  # pulse: an instruction's data are in memory
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus_bytes = self.config.bus_bytes
        m.submodules.row_requests = row_requests = RowRequests(bus_bytes)
        m.submodules.row_beats = row_beats = RowBeats(bus_bytes)
        instruction = data.View(TransferLayout, self.instructions.payload.instruction)
        in_flight = Signal(range(IN_FLIGHT + 1))
        has_room = in_flight != IN_FLIGHT
        accept = Signal()
        requested, read = row_requests.rows, row_beats.rows
        m.d.comb += [
            accept.eq(self.instructions.valid & self.instructions.ready),
            requested.valid.eq(accept),
            requested.payload.address.eq(self.instructions.payload.address),
            requested.payload.pitch.eq(instruction.dram_pitch),
            requested.payload.row_bytes.eq(instruction.row_bytes),
            requested.payload.rows.eq(instruction.rows),
            read.valid.eq(accept),
            read.payload.place.address.eq(instruction.act_address),
            read.payload.place.bank.eq(instruction.bank),
            read.payload.pitch.eq(instruction.act_pitch),
            read.payload.banked.eq(instruction.banked),
            read.payload.start.eq(self.instructions.payload.address),
            read.payload.start_step.eq(instruction.dram_pitch),
            read.payload.row_bytes.eq(instruction.row_bytes),
            read.payload.rows.eq(instruction.rows),
        ]
        connect(m, row_requests.requests, flipped(self.requests))
        # That there is room is known in the cycle after: it does not go away until an instruction is accepted.
        m.d.sync += [
            self.instructions.ready.eq(requested.ready & read.ready & has_room & ~accept),
            in_flight.eq(in_flight + accept - self.acknowledged),
            self.retire.eq(self.acknowledged),
        ]
        m.d.comb += self.busy.eq(in_flight != 0)

        # The beats' bytes wait for their data; a beat is read only where there is room for it.
        m.submodules.strobes = strobes = Queue(bus_bytes, depth=BEAT_BUFFER)
        m.submodules.buffer = buffer = Queue(self.config.bus_bits, depth=BEAT_BUFFER)
        beat = row_beats.beats
        m.d.comb += [
            self.places.payload.place.eq(beat.payload.place),
            self.places.payload.strobe.eq(beat.payload.strobe),
            self.places.valid.eq(beat.valid & strobes.input.ready),
            beat.ready.eq(self.places.ready & strobes.input.ready),
            strobes.input.payload.eq(beat.payload.strobe),
            strobes.input.valid.eq(beat.valid & self.places.ready),
            buffer.input.payload.eq(self.stored),
            buffer.input.valid.eq(self.stored_valid),
            self.beats.valid.eq(buffer.output.valid),
            self.beats.payload.eq(Cat(buffer.stored, strobes.stored)),
            buffer.output.ready.eq(self.beats.ready),
            strobes.output.ready.eq(self.beats.ready & buffer.output.valid),
        ]
        return m
