"""Bench: InstructionGate, random waits and counts of retired instructions, against ``blocking_engines``."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.isa import Opcode, encode
from hwgen.program import Engine
from hwgen.rtl.instruction_gate import RETIRED_BITS, blocking_engines
from sim.benches.components.setup import start

CYCLES = 2000
LARGEST = 2**RETIRED_BITS - 1


def random_counts() -> dict[Engine, int]:
    """Of each engine's instructions; few, so that they are often equal, or as many as can be counted."""
    return {engine: random.choice((0, 1, 2, 3, LARGEST - 1, LARGEST)) for engine in Engine}


@cocotb.test()
async def agrees_with_the_golden(dut: Any) -> None:
    """An instruction goes once the gate has seen that it waits for nothing, in the cycle before."""
    await start(dut, "queued__valid", "released__ready")
    instruction: bytes | None = None
    waits = random_counts()
    was_free = False
    for _ in range(CYCLES):
        await FallingEdge(dut.clk)
        if instruction is None and random.random() < 0.8:
            waits = random_counts()
            fields = {f"wait_{engine.name.lower()}": waits[engine] for engine in Engine}
            instruction = encode(random.choice(list(Opcode)), **fields)[:10] + random.randbytes(54)
            dut.queued__payload.value = int.from_bytes(instruction, "little")
        retired = waits if random.random() < 0.3 else random_counts()
        ready = random.randrange(2)
        dut.queued__valid.value = instruction is not None
        dut.released__ready.value = ready
        for engine in Engine:
            getattr(dut, f"retired__{engine}").value = retired[engine]
        await ReadOnly()
        blocking = blocking_engines(waits, retired) if instruction else []
        assert int(dut.blocked_by.value) == sum(1 << engine for engine in blocking)
        assert dut.released__valid.value == was_free
        assert dut.queued__ready.value == (ready and was_free)
        if instruction and was_free:
            assert int(dut.released__payload.value) == int.from_bytes(instruction, "little")
        taken = ready and was_free
        was_free = instruction is not None and not blocking and not taken
        if taken:
            instruction = None
