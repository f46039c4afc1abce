"""Instruction gate: lets an engine's next instruction through when those it waits for have retired."""

from __future__ import annotations

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.isa import INSTRUCTION_BITS, HeaderLayout
from hwgen.program import Engine
from hwgen.rtl.axi import ADDRESS_BITS

RETIRED_BITS = 24
ReleasedTransferLayout = data.StructLayout({"instruction": INSTRUCTION_BITS, "address": ADDRESS_BITS})
"""An instruction of the load or the store engine, and the address in memory of its data."""
ReleasedComputationLayout = data.StructLayout({"instruction": INSTRUCTION_BITS, "is_add": 1})
"""An instruction of the compute engine, and whether it is an addition."""


def blocking_engines(waits: Mapping[Engine, int], retired: Mapping[Engine, int]) -> list[Engine]:
    """Golden: the engines that have retired fewer instructions than an instruction waits for."""
    return [engine for engine in Engine if retired[engine] < waits[engine]]


class InstructionGate(wiring.Component):
    """Holds one instruction. ``blocked_by`` says which engines it waits for; once none, the gate opens for it."""

    arrival_latency = 1
    """Cycles from an instruction's arrival to that in which its waits are compared for the first time."""
    latency = 2
    """Cycles from the one in which its waits are satisfied to its release."""

    def __init__(self) -> None:
        super().__init__(
            {
                "queued": In(stream.Signature(INSTRUCTION_BITS)),
                "retired": In(RETIRED_BITS).array(len(Engine)),  # instructions retired by each engine in this run
                "released": Out(stream.Signature(INSTRUCTION_BITS)),
                "blocked_by": Out(len(Engine)),  # engines that it waited for in the cycle before
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # An instruction leaves its queue as soon as the gate is empty, not when the engine takes it: the queue's memory
        # does not wait to hear what the engine does.
        instruction = Signal(INSTRUCTION_BITS, reset_less=True)
        holds, compared, is_open = Signal(), Signal(), Signal()

        # Comparisons are long: they go from registers straight to registers, which say of the cycle before.
        header = data.View(HeaderLayout, instruction[: HeaderLayout.size])
        waits = {Engine.LOAD: header.wait_load, Engine.COMPUTE: header.wait_compute, Engine.STORE: header.wait_store}
        blocking = Signal(len(Engine), reset_less=True)
        leaves = is_open & self.released.ready
        m.d.comb += [
            self.blocked_by.eq(Mux(compared, blocking, 0)),
            self.queued.ready.eq(~holds),
            self.released.valid.eq(is_open),
            self.released.payload.eq(instruction),
        ]
        with m.If(~holds):
            m.d.sync += instruction.eq(self.queued.payload)
        m.d.sync += [
            blocking.eq(Cat(self.retired[engine] < waits[engine] for engine in Engine)),
            holds.eq((holds | self.queued.valid) & ~leaves),
            compared.eq(holds & ~leaves),
            is_open.eq(compared & (blocking == 0) & ~leaves),
        ]
        return m
