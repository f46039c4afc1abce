"""Bench: Sequencer, random programs from a memory that pauses: what each engine gets, and when the program ends.

Memory holds random bytes beyond END, as images do: what is fetched of them must reach no engine.
"""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from hwgen.isa import ENGINE_OF, INSTRUCTION_BYTES, INSTRUCTIONS_PER_FETCH, Opcode, encode
from hwgen.program import Engine
from hwgen.rtl.sequencer import QUEUE_DEPTH
from sim.benches.components.setup import start
from sim.benches.streams import answer

BUS_BYTES = int(str(cocotb.plusargs["bus_bits"])) // 8
GROUP_BYTES = INSTRUCTION_BYTES * INSTRUCTIONS_PER_FETCH
MEMORY_BYTES = 1 << 14


def random_program(length: int) -> list[bytes]:
    """Instructions, most of them for the same engine as their predecessor, and END, which waits for all of them."""
    opcodes = [random.choice(list(ENGINE_OF))]
    while len(opcodes) < length:
        opcodes.append(random.choice((*opcodes[-1:] * 6, *ENGINE_OF)))
    program = [
        bytes([random.randrange(16) << 4 | opcode]) + random.randbytes(INSTRUCTION_BYTES - 1) for opcode in opcodes
    ]
    waits = {f"wait_{engine.name.lower()}": sum(ENGINE_OF[o] is engine for o in opcodes) for engine in Engine}
    return [*program, encode(Opcode.END, **waits)]


class Engines:
    """Take instructions and retire them some time later; ``step`` is called once per cycle."""

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.pause = dut, pause
        self.taken: dict[Engine, list[bytes]] = {engine: [] for engine in Engine}
        self.retired = dict.fromkeys(Engine, 0)

    def step(self) -> None:
        for engine, taken in self.taken.items():
            valid, ready, payload = (
                getattr(self.dut, f"queues__{engine}__{name}") for name in ("valid", "ready", "payload")
            )
            if valid.value and ready.value:
                taken.append(int(payload.value).to_bytes(INSTRUCTION_BYTES, "little"))
            ready.value = random.random() >= self.pause
            if self.retired[engine] < len(taken) and random.random() < 0.05:
                self.retired[engine] += 1
            getattr(self.dut, f"retired__{engine}").value = self.retired[engine]


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pause=[0.0, 0.5, 0.9], memory_pause=[0.0, 0.5])
async def each_engine_gets_its_instructions(dut: Any, pause: float, memory_pause: float) -> None:
    ready = [f"queues__{engine}__ready" for engine in Engine]
    await start(dut, "start", "beats__valid", "requests__ready", *ready, *(f"retired__{engine}" for engine in Engine))
    memory = bytearray(random.randbytes(MEMORY_BYTES))
    cocotb.start_soon(answer(dut, memory, BUS_BYTES, memory_pause))
    for length in (0, 1, INSTRUCTIONS_PER_FETCH - 1, INSTRUCTIONS_PER_FETCH, 40):
        program = random_program(length) if length else [encode(Opcode.END)]
        base = GROUP_BYTES * random.randrange(8)
        memory[base : base + len(program) * INSTRUCTION_BYTES] = b"".join(program)
        engines = Engines(dut, pause)
        engines.step()
        dut.image_base.value = base
        dut.start.value = 1
        await RisingEdge(dut.clk)
        dut.start.value = 0
        requested = 0
        while not dut.finished.value:
            await RisingEdge(dut.clk)
            requested += bool(dut.requests__valid.value and dut.requests__ready.value)
            if not dut.finished.value:
                engines.step()
        expected = {
            engine: [code for code in program[:-1] if ENGINE_OF[Opcode(code[0] & 15)] is engine] for engine in Engine
        }
        assert engines.taken == expected
        assert engines.retired == {engine: len(codes) for engine, codes in expected.items()}
        assert not dut.requests__valid.value and not dut.beats__valid.value, "nothing is on its way any more"
        assert requested <= -(-len(program) // INSTRUCTIONS_PER_FETCH) + 2


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def an_engine_that_does_not_move_holds_up_only_what_comes_after_its_queue(dut: Any) -> None:
    ready = [f"queues__{engine}__ready" for engine in Engine]
    await start(dut, "start", "beats__valid", "requests__ready", *ready, *(f"retired__{engine}" for engine in Engine))
    opcodes = [Opcode.MAC, Opcode.STORE] * (QUEUE_DEPTH + 1)
    program = [encode(opcode) for opcode in opcodes]
    memory = b"".join(program).ljust(MEMORY_BYTES, b"\0")
    cocotb.start_soon(answer(dut, memory, BUS_BYTES))
    dut.image_base.value = 0
    dut.queues__2__ready.value = 1
    dut.start.value = 1
    await RisingEdge(dut.clk)
    dut.start.value = 0
    stores = 0
    for _ in range(1000):
        await RisingEdge(dut.clk)
        stores += bool(dut.queues__2__valid.value)
        assert not dut.finished.value
    assert stores == QUEUE_DEPTH
