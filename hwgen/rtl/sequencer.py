"""Sequencer: fetches the program in order and hands each instruction to its engine's queue."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.isa import (
    ENGINE_OF,
    INSTRUCTION_BITS,
    INSTRUCTION_BYTES,
    INSTRUCTIONS_PER_FETCH,
    HeaderLayout,
    Opcode,
)
from hwgen.program import Engine
from hwgen.rtl.axi import RequestLayout
from hwgen.rtl.instruction_gate import RETIRED_BITS

QUEUE_DEPTH = 16
"""Instructions waiting per engine: how far loads run ahead of the computations that they serve."""
ENOUGH_LOADS = 4
"""Waiting loads that leave the bus no time for further instructions before theirs are due."""


class Sequencer(wiring.Component):
    """Keeps up to two groups of instructions on their way; ``finished`` when END's waits are satisfied."""

    def __init__(self, bus_bits: int) -> None:
        self.bus_bits = bus_bits
        super().__init__(
            {
                "start": In(1),  # pulse: begin at the base of the image
                "image_base": In(32),
                "retired": In(RETIRED_BITS).array(len(Engine)),
                "requests": Out(stream.Signature(RequestLayout)),
                "beats": In(stream.Signature(bus_bits)),
                "queues": Out(stream.Signature(INSTRUCTION_BITS)).array(len(Engine)),
                "finished": Out(1),  # pulse: the program has ended
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beats_per_instruction = INSTRUCTION_BITS // self.bus_bits
        beats_per_group = beats_per_instruction * INSTRUCTIONS_PER_FETCH

        m.submodules.buffer = buffer = fifo.SyncFIFOBuffered(width=self.bus_bits, depth=2 * beats_per_group)
        awaited = Signal(range(2 * beats_per_group + 1))
        """Beats requested and not yet taken from the buffer."""

        running = Signal()
        address = Signal(32, reset_less=True)
        asking, requested, consumed = Signal(), Signal(), Signal()
        enough_loads = Signal()
        m.d.comb += [
            self.requests.valid.eq(asking),
            self.requests.payload.address.eq(address),
            self.requests.payload.beats.eq(beats_per_group),
            requested.eq(self.requests.valid & self.requests.ready),
            buffer.w_data.eq(self.beats.payload),
            buffer.w_en.eq(self.beats.valid),
            self.beats.ready.eq(buffer.w_rdy),
        ]
        m.d.sync += awaited.eq(awaited + (beats_per_group * requested) - consumed)
        with m.If(requested):
            m.d.sync += [asking.eq(0), address.eq(address + INSTRUCTIONS_PER_FETCH * INSTRUCTION_BYTES)]
        with m.Elif(running & (awaited <= beats_per_group) & ~enough_loads):
            m.d.sync += asking.eq(1)

        instruction = Signal(INSTRUCTION_BITS, reset_less=True)
        filled = Signal(range(beats_per_instruction + 1))
        complete = Signal()
        """The instruction is whole; whose it is, is known as soon."""
        addressed = Signal(len(Engine))
        header = data.View(HeaderLayout, instruction)
        shifted = Cat(instruction[self.bus_bits :], buffer.r_data)
        queues = []
        for engine in Engine:
            queue = fifo.SyncFIFO(width=INSTRUCTION_BITS, depth=QUEUE_DEPTH)
            m.submodules[f"{engine.name.lower()}_queue"] = queue
            m.d.comb += [
                queue.w_data.eq(instruction),
                self.queues[engine].payload.eq(queue.r_data),
                self.queues[engine].valid.eq(queue.r_rdy),
                queue.r_en.eq(self.queues[engine].ready),
            ]
            queues.append(queue)

        m.d.comb += enough_loads.eq(queues[Engine.LOAD].level >= ENOUGH_LOADS)

        dispatched = Signal()
        m.d.comb += dispatched.eq((addressed & Cat(queue.w_rdy for queue in queues)).any())
        m.d.comb += [queues[engine].w_en.eq(addressed[engine]) for engine in Engine]
        # What was fetched beyond END is taken from the buffer and dropped.
        m.d.comb += [
            consumed.eq(buffer.r_rdy & (~complete | dispatched | ~running)),
            buffer.r_en.eq(consumed),
        ]
        with m.If(dispatched):
            m.d.sync += [filled.eq(0), complete.eq(0), addressed.eq(0)]
        with m.If(consumed & running):
            taken = Mux(dispatched, 0, filled)
            m.d.sync += [instruction.eq(shifted), filled.eq(taken + 1)]
            with m.If(taken == beats_per_instruction - 1):
                m.d.sync += complete.eq(1)
                with m.Switch(data.View(HeaderLayout, shifted).opcode):
                    for opcode, engine in ENGINE_OF.items():
                        with m.Case(opcode):
                            m.d.sync += addressed[engine].eq(1)

        is_end = running & complete & (header.opcode == Opcode.END)
        waits = Cat(header.wait_load, header.wait_compute, header.wait_store)
        with m.If(is_end & (Cat(self.retired[engine] for engine in Engine) == waits)):
            m.d.sync += running.eq(0)
        stopping = Signal()
        with m.If(self.start):
            m.d.sync += [running.eq(1), stopping.eq(1), address.eq(self.image_base), filled.eq(0), complete.eq(0)]
        m.d.comb += self.finished.eq(stopping & ~running & ~asking & (awaited == 0))
        with m.If(self.finished):
            m.d.sync += stopping.eq(0)
        return m
