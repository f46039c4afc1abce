"""Instruction gate: lets an engine's next instruction through when those it waits for have retired."""

from __future__ import annotations

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.isa import INSTRUCTION_BITS, HeaderLayout
from hwgen.program import Engine

RETIRED_BITS = 24


def blocking_engines(waits: Mapping[Engine, int], retired: Mapping[Engine, int]) -> list[Engine]:
    """Golden: the engines that have retired fewer instructions than an instruction waits for."""
    return [engine for engine in Engine if retired[engine] < waits[engine]]


class InstructionGate(wiring.Component):
    """``blocked_by`` says which engines the next instruction waits for; once none, the gate opens for it."""

    latency = 1
    """Cycles from an instruction's arrival, with its waits satisfied, to its release."""

    def __init__(self) -> None:
        super().__init__(
            {
                "queued": In(stream.Signature(INSTRUCTION_BITS)),
                "retired": In(RETIRED_BITS).array(len(Engine)),  # instructions retired by each engine in this run
                "released": Out(stream.Signature(INSTRUCTION_BITS)),
                "blocked_by": Out(len(Engine)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        header = data.View(HeaderLayout, self.queued.payload)
        waits = {
            Engine.LOAD: header.wait_load,
            Engine.COMPUTE: header.wait_compute,
            Engine.STORE: header.wait_store,
        }
        blocked = Signal(len(Engine))
        is_open = Signal()
        # While the gate sees what the instruction waits for, a register takes it out of the queue's memory.
        instruction = Signal(INSTRUCTION_BITS, reset_less=True)
        m.d.sync += [
            instruction.eq(self.queued.payload),
            is_open.eq(self.queued.valid & (blocked == 0) & ~self.queued.ready),
        ]
        m.d.comb += [
            blocked.eq(Cat(self.retired[engine] < waits[engine] for engine in Engine)),
            self.blocked_by.eq(blocked & self.queued.valid.replicate(len(Engine))),
            self.released.payload.eq(instruction),
            self.released.valid.eq(self.queued.valid & is_open),
            self.queued.ready.eq(self.released.ready & is_open),
        ]
        return m
