"""Bench: InstructionGate, random waits and counts of retired instructions, against ``blocking_engines``."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.isa import Opcode, encode
from hwgen.program import Engine
from hwgen.rtl.instruction_gate import RETIRED_BITS, InstructionGate, blocking_engines
from sim.benches.components.setup import start

CYCLES = 2000
LARGEST = 2**RETIRED_BITS - 1


def random_counts() -> dict[Engine, int]:
    """Of each engine's instructions; few, so that they are often equal, or as many as can be counted."""
    return {engine: random.choice((0, 1, 2, 3, LARGEST - 1, LARGEST)) for engine in Engine}


def random_instruction() -> tuple[int, dict[Engine, int]]:
    """An instruction's bits and what it waits for."""
    waits = random_counts()
    fields = {f"wait_{engine.name.lower()}": count for engine, count in waits.items()}
    instruction = encode(random.choice(list(Opcode)), **fields)[:10] + random.randbytes(54)
    return int.from_bytes(instruction, "little"), waits


@cocotb.test()
async def agrees_with_the_golden(dut: Any) -> None:
    """An empty gate takes what is queued. It goes ``latency`` after the gate has seen that it waits for nothing."""
    await start(dut, "queued__valid", "released__ready")
    queued: tuple[int, dict[Engine, int]] | None = None
    held: tuple[int, dict[Engine, int]] | None = None
    seen: list[list[Engine]] = []
    """By whom what is held was blocked in each cycle since it arrived."""
    for _ in range(CYCLES):
        await FallingEdge(dut.clk)
        if queued is None and random.random() < 0.8:
            queued = random_instruction()
            dut.queued__payload.value = queued[0]
        waits = held[1] if held else random_counts()
        retired = waits if random.random() < 0.3 else random_counts()
        ready = random.randrange(2)
        dut.queued__valid.value = queued is not None
        dut.released__ready.value = ready
        for engine in Engine:
            getattr(dut, f"retired__{engine}").value = retired[engine]
        await ReadOnly()
        is_open = len(seen) >= InstructionGate.latency and not seen[-InstructionGate.latency]
        assert int(dut.blocked_by.value) == sum(1 << engine for engine in (seen[-1] if seen else []))
        assert dut.released__valid.value == is_open
        assert dut.queued__ready.value == (held is None)
        if held is None:
            held, queued = queued, None
            continue
        seen.append(blocking_engines(waits, retired))
        if is_open:
            assert int(dut.released__payload.value) == held[0]
            if ready:
                held, seen = None, []
