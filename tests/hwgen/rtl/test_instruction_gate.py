"""The instruction gate holds an instruction back until every engine has retired as many as it waits for."""

from __future__ import annotations

import numpy as np
from amaranth.sim import Simulator

from hwgen.isa import Opcode, encode
from hwgen.program import Engine
from hwgen.rtl.instruction_gate import RETIRED_BITS, InstructionGate, blocking_engines


def test_random_waits() -> None:
    dut = InstructionGate()
    rng = np.random.default_rng(0)
    largest = 2**RETIRED_BITS - 1

    def random_counts() -> dict[Engine, int]:
        return {engine: int(rng.choice([0, 1, 2, 3, largest - 1, largest])) for engine in Engine}

    async def testbench(ctx) -> None:
        for _ in range(1000):
            waits, retired = random_counts(), random_counts()
            valid, ready = int(rng.integers(2)), int(rng.integers(2))
            fields = {f"wait_{engine.name.lower()}": waits[engine] for engine in Engine}
            instruction = int.from_bytes(encode(Opcode.MAC, **fields, weight_address=int(rng.integers(1000))), "little")
            ctx.set(dut.queued.payload, instruction)
            ctx.set(dut.queued.valid, valid)
            ctx.set(dut.released.ready, ready)
            for engine in Engine:
                ctx.set(dut.retired[engine], retired[engine])
            await ctx.delay(1e-9)
            blocking = blocking_engines(waits, retired)
            assert ctx.get(dut.released.valid) == (valid and not blocking)
            assert ctx.get(dut.queued.ready) == (ready and not blocking)
            assert ctx.get(dut.blocked_by) == (sum(1 << engine for engine in blocking) if valid else 0)
            assert ctx.get(dut.released.payload) == instruction

    simulator = Simulator(dut)
    simulator.add_testbench(testbench)
    simulator.run()
