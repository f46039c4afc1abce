"""The operand stage clamps and pads the rows that the buffer fetched for a step, a fixed number of cycles after it."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.sim import Simulator

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.rtl.act_buffer import ActBuffer
from hwgen.rtl.operand_stage import OperandStage, step_operands
from sim.benches.stimulus import random_operands

STEPS = 1000


@pytest.mark.parametrize("rows", [2, 5, 8, 32])
def test_random_steps(rows: int) -> None:
    config = AcceleratorConfig(rows=rows, cols=4, requant_lanes=1)
    dut = OperandStage(config)
    rng = np.random.default_rng(rows)
    vectors = rng.integers(-128, 128, (STEPS, ROW_BANKS, rows))
    steps = [random_operands(rng, rows) for _ in range(STEPS)]
    seen: list[list[list[int]]] = []

    async def testbench(ctx) -> None:
        for cycle in range(STEPS + dut.latency):
            if cycle < STEPS:
                ctx.set(dut.step, steps[cycle])
            fetched = cycle - ActBuffer.fetch_latency
            if 0 <= fetched < STEPS:
                for row, vector in enumerate(vectors[fetched].astype(np.int8)):
                    ctx.set(dut.fetched[row], int.from_bytes(vector.tobytes(), "little"))
            if cycle >= dut.latency:
                operands = [ctx.get(dut.operands[row]).to_bytes(rows, "little") for row in range(ROW_BANKS)]
                seen.append([np.frombuffer(row, np.int8).tolist() for row in operands])
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    for step, fetched, operands in zip(steps, vectors.tolist(), seen, strict=True):
        assert operands == step_operands(step, fetched)
