"""Bench: InstructionGate, random waits and counts of retired instructions, against ``blocking_engines``."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import Timer

from hwgen.isa import Opcode, encode
from hwgen.program import Engine
from hwgen.rtl.instruction_gate import RETIRED_BITS, blocking_engines

INSTRUCTIONS = 2000
LARGEST = 2**RETIRED_BITS - 1


def random_counts() -> dict[Engine, int]:
    """Of each engine's instructions; few, so that they are often equal, or as many as can be counted."""
    return {engine: random.choice((0, 1, 2, 3, LARGEST - 1, LARGEST)) for engine in Engine}


@cocotb.test()
async def agrees_with_the_golden(dut: Any) -> None:
    for _ in range(INSTRUCTIONS):
        waits, retired = random_counts(), random_counts()
        fields = {f"wait_{engine.name.lower()}": waits[engine] for engine in Engine}
        instruction = encode(random.choice(list(Opcode)), **fields)[:10] + random.randbytes(54)
        valid, ready = random.randrange(2), random.randrange(2)
        dut.queued__payload.value = int.from_bytes(instruction, "little")
        dut.queued__valid.value = valid
        dut.released__ready.value = ready
        for engine in Engine:
            getattr(dut, f"retired__{engine}").value = retired[engine]
        await Timer(1, "ns")
        blocking = blocking_engines(waits, retired)
        assert dut.released__valid.value == (valid and not blocking)
        assert dut.queued__ready.value == (ready and not blocking)
        assert int(dut.blocked_by.value) == (sum(1 << engine for engine in blocking) if valid else 0)
        assert int(dut.released__payload.value) == int.from_bytes(instruction, "little")
