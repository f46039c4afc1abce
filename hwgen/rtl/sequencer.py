"""Sequencer: fetches the program in order and hands each instruction to its engine's queue."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
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
from hwgen.rtl.axi import MAX_BURST_BEATS, RequestLayout
from hwgen.rtl.instruction_gate import RETIRED_BITS
from hwgen.rtl.queue import Queue

QUEUE_DEPTH = 16
"""Instructions waiting per engine: how far loads run ahead of the computations that they serve."""
ENOUGH_LOADS = 3
"""Loads, behind the one that its gate holds, that leave the bus no time for instructions before theirs are due."""


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
                "shown": Out(INSTRUCTION_BITS).array(len(Engine)),  # what each queue shows, from registers
                "finished": Out(1),  # pulse: the program has ended
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beats_per_instruction = INSTRUCTION_BITS // self.bus_bits
        beats_per_group = beats_per_instruction * INSTRUCTIONS_PER_FETCH

        # The two groups of instructions that wait to be handed on.
        m.submodules.buffer = buffer = Queue(self.bus_bits, depth=2 * beats_per_group)
        awaited = Signal(range(2 * beats_per_group + 1))
        """Beats requested and not yet taken from the buffer."""

        running = Signal()
        address = Signal(32, reset_less=True)
        beat_bits = (self.bus_bits // 8).bit_length() - 1
        first_place = address[beat_bits:][: MAX_BURST_BEATS.bit_length() - 1]
        last_place = first_place + beats_per_group - 1
        asking, requested, consumed = Signal(), Signal(), Signal()
        enough_loads = Signal()
        m.d.comb += [
            self.requests.valid.eq(asking),
            self.requests.payload.address.eq(address),
            self.requests.payload.end.eq(last_place),
            self.requests.payload.single.eq(last_place < MAX_BURST_BEATS),
            requested.eq(self.requests.valid & self.requests.ready),
        ]
        # There is room for what was asked for.
        m.d.comb += [
            buffer.input.payload.eq(self.beats.payload),
            buffer.input.valid.eq(self.beats.valid),
            self.beats.ready.eq(1),
        ]
        # All sums are ready before it is known which: whether a beat is taken shows late in a cycle.
        more, fewer = awaited + beats_per_group, awaited - 1
        m.d.sync += awaited.eq(Mux(requested, Mux(consumed, more - 1, more), Mux(consumed, fewer, awaited)))
        with m.If(requested):
            m.d.sync += [asking.eq(0), address.eq(address + INSTRUCTIONS_PER_FETCH * INSTRUCTION_BYTES)]
        with m.Elif(running & (awaited <= beats_per_group) & ~enough_loads):
            m.d.sync += asking.eq(1)

        instruction = Signal(INSTRUCTION_BITS, reset_less=True)
        awaits = Signal(beats_per_instruction, init=1)
        """Which beat of the instruction comes next; none once it is complete."""
        complete = Signal()
        addressed = Signal(len(Engine))
        """The engine of a complete instruction."""
        header = data.View(HeaderLayout, instruction)
        dispatches, dispatched = Signal(len(Engine)), Signal()
        """To which engine the instruction goes in this cycle; whether to any. Known as the cycle begins: whether the
        queues, which lie far away, have room is asked the cycle before, and none is written twice as fast.
        """
        queues = []
        for engine in Engine:
            queue = Queue(INSTRUCTION_BITS, depth=QUEUE_DEPTH)
            m.submodules[f"{engine.name.lower()}_queue"] = queue
            m.d.comb += [queue.input.payload.eq(instruction), queue.input.valid.eq(dispatches[engine])]
            m.d.comb += [
                self.queues[engine].valid.eq(queue.output.valid),
                self.queues[engine].payload.eq(queue.stored),
                self.shown[engine].eq(queue.output.payload),
                queue.output.ready.eq(self.queues[engine].ready),
            ]
            queues.append(queue)

        m.d.comb += enough_loads.eq(queues[Engine.LOAD].level >= ENOUGH_LOADS)

        # What was fetched beyond END is taken from the buffer and dropped.
        m.d.comb += [
            consumed.eq(buffer.output.valid & (~complete | dispatched | ~running)),
            buffer.output.ready.eq(consumed),
        ]
        # What the buffer shows goes to the next beat's place, whether it is there yet or not; only the first beat's may
        # still be in use.
        awaited_now = Signal.like(awaits)
        m.d.comb += awaited_now.eq(awaits | dispatched)
        for beat in range(beats_per_instruction):
            with m.If(awaited_now[beat]):
                m.d.sync += instruction.word_select(beat, self.bus_bits).eq(buffer.output.payload)
        first_beat = buffer.output.payload if beats_per_instruction == 1 else instruction
        engine_bits = Signal(len(Engine))
        """The engine of the instruction whose last beat the buffer shows."""
        with m.Switch(data.View(HeaderLayout, first_beat).opcode):
            for opcode, engine in ENGINE_OF.items():
                with m.Case(opcode):
                    m.d.comb += engine_bits[engine].eq(1)
        comes, ends, after_addressed = Signal(), Signal(), Signal.like(addressed)
        m.d.comb += [
            comes.eq(buffer.output.valid & running),
            ends.eq(comes & awaited_now[-1]),
            after_addressed.eq(
                addressed & ~dispatched.replicate(len(Engine)) | engine_bits & ends.replicate(len(Engine))
            ),
        ]
        after_dispatches = after_addressed & Cat(queue.input.ready for queue in queues)
        m.d.sync += [
            awaits.eq(Mux(comes, awaited_now << 1, awaited_now)),
            complete.eq((complete & ~dispatched) | ends),
            addressed.eq(after_addressed),
            dispatches.eq(after_dispatches),
            dispatched.eq(after_dispatches.any()),
        ]

        # All but the last beat of an instruction is there a cycle before it is complete: what it waits for is compared.
        is_end, satisfied = Signal(), Signal()
        waits = Cat(header.wait_load, header.wait_compute, header.wait_store)
        m.d.sync += [
            is_end.eq(header.opcode == Opcode.END),
            satisfied.eq(Cat(self.retired[engine] for engine in Engine) == waits),
        ]
        with m.If(running & complete & is_end & satisfied):
            m.d.sync += running.eq(0)
        stopping = Signal()
        with m.If(self.start):
            m.d.sync += [running.eq(1), stopping.eq(1), address.eq(self.image_base), awaits.eq(1), complete.eq(0)]
        m.d.comb += self.finished.eq(stopping & ~running & ~asking & (awaited == 0))
        with m.If(self.finished):
            m.d.sync += stopping.eq(0)
        return m
