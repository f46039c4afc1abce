"""Store engine: writes rows of the activation buffer to memory."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS, INSTRUCTION_BITS, Region, TransferLayout
from hwgen.rtl.act_buffer import ActBuffer, PlaceLayout
from hwgen.rtl.axi import RequestLayout, write_data_layout

BEAT_BUFFER = 8


class StoreEngine(wiring.Component):
    """An instruction retires when the memory has acknowledged all of it, so that a later load may read it."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "instructions": In(stream.Signature(INSTRUCTION_BITS)),  # whose waits are satisfied
                "bases": In(32).array(len(Region)),
                "requests": Out(stream.Signature(RequestLayout)),
                "places": Out(stream.Signature(PlaceLayout)),  # beats to read from the activation buffer
                "stored": In(config.bus_bits),  # those beats, ActBuffer.store_latency later
                "beats": Out(stream.Signature(write_data_layout(config.bus_bits))),
                "port_idle": In(1),  # the write port has nothing on its way
                "retire": Out(1),  # pulse: an instruction's data are in memory
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus_bytes = self.config.bus_bytes
        beat_bits = bus_bytes.bit_length() - 1
        instruction = data.View(TransferLayout, self.instructions.payload)

        dram_address = Signal(32, reset_less=True)
        dram_pitch = Signal(24, reset_less=True)
        act_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        act_pitch = Signal(ACT_ADDRESS_BITS, reset_less=True)
        bank, banked = Signal(2, reset_less=True), Signal(reset_less=True)
        row_bytes = Signal(ACT_ADDRESS_BITS, reset_less=True)
        rows_left = Signal(16, reset_less=True)
        index = Signal(ACT_ADDRESS_BITS - beat_bits, reset_less=True)
        span = Signal(ACT_ADDRESS_BITS + 1)
        beats = Signal(ACT_ADDRESS_BITS - beat_bits + 1)
        start, tail = dram_address[:beat_bits], span[:beat_bits]
        m.d.comb += [span.eq(start + row_bytes), beats.eq((span + bus_bytes - 1) >> beat_bits)]

        m.submodules.buffer = buffer = fifo.SyncFIFO(
            width=write_data_layout(self.config.bus_bits).size, depth=BEAT_BUFFER
        )
        is_last_beat = index == beats - 1
        all_ones = Const((1 << bus_bytes) - 1, bus_bytes)
        first_mask = (all_ones << start)[:bus_bytes]
        last_mask = Mux(tail == 0, all_ones, ((Const(1, bus_bytes + 1) << tail) - 1)[:bus_bytes])
        strobe = Signal(bus_bytes)
        m.d.comb += strobe.eq(Mux(index == 0, first_mask, all_ones) & Mux(is_last_beat, last_mask, all_ones))

        # Reads take store_latency cycles: leave room for those under way.
        issued = Signal()
        in_flight = Signal(ActBuffer.store_latency)
        strobes = [strobe]
        for stage in range(ActBuffer.store_latency):
            delayed = Signal(bus_bytes, name=f"strobe_{stage}", reset_less=True)
            m.d.sync += delayed.eq(strobes[-1])
            strobes.append(delayed)
        m.d.comb += issued.eq(self.places.valid & self.places.ready)
        m.d.sync += in_flight.eq(Cat(issued, in_flight[:-1]))
        m.d.comb += [
            buffer.w_en.eq(in_flight[-1]),
            buffer.w_data.eq(Cat(self.stored, strobes[-1])),
            self.beats.valid.eq(buffer.r_rdy),
            self.beats.payload.eq(buffer.r_data),
            buffer.r_en.eq(self.beats.ready),
            self.places.payload.bank.eq(bank),
            self.places.payload.address.eq(act_address + (index << beat_bits) - start),
        ]

        m.d.sync += self.retire.eq(0)
        m.d.comb += self.busy.eq(1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [self.busy.eq(0), self.instructions.ready.eq(1)]
                with m.If(self.instructions.valid):
                    m.d.sync += [
                        dram_address.eq(Array(self.bases)[instruction.region] + instruction.dram_offset),
                        dram_pitch.eq(instruction.dram_pitch),
                        act_address.eq(instruction.act_address),
                        act_pitch.eq(instruction.act_pitch),
                        bank.eq(instruction.bank),
                        banked.eq(instruction.banked),
                        row_bytes.eq(instruction.row_bytes),
                        rows_left.eq(instruction.rows),
                        index.eq(0),
                    ]
                    m.next = "REQUEST"
            with m.State("REQUEST"):
                m.d.comb += [
                    self.requests.valid.eq(1),
                    self.requests.payload.address.eq(Cat(Const(0, beat_bits), dram_address[beat_bits:])),
                    self.requests.payload.beats.eq(beats),
                ]
                with m.If(self.requests.ready):
                    m.next = "READ"
            with m.State("READ"):
                m.d.comb += self.places.valid.eq(buffer.w_level + ActBuffer.store_latency < BEAT_BUFFER)
                with m.If(issued):
                    m.d.sync += index.eq(index + 1)
                    with m.If(is_last_beat):
                        m.d.sync += [
                            index.eq(0),
                            rows_left.eq(rows_left - 1),
                            dram_address.eq(dram_address + dram_pitch),
                            act_address.eq(act_address + Mux(banked & (bank != ROW_BANKS - 1), 0, act_pitch)),
                            bank.eq(bank + banked),
                        ]
                        with m.If(rows_left == 1):
                            m.next = "ACKNOWLEDGE"
                        with m.Else():
                            m.next = "REQUEST"
            with m.State("ACKNOWLEDGE"):
                with m.If((in_flight == 0) & ~buffer.r_rdy & self.port_idle):
                    m.d.sync += self.retire.eq(1)
                    m.next = "IDLE"
        return m
