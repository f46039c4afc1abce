"""The operand stage clamps and pads the rows that the buffer fetched for a step, a fixed number of cycles after it."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.sim import Simulator

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.rtl.act_buffer import ActBuffer
from hwgen.rtl.operand_stage import OperandStage, pad_and_clamp

STEPS = 1000


@pytest.mark.parametrize("rows", [2, 5, 8, 32])
def test_random_steps(rows: int) -> None:
    config = AcceleratorConfig(rows=rows, cols=4, requant_lanes=1)
    dut = OperandStage(config)
    rng = np.random.default_rng(rows)
    vectors = rng.integers(-128, 128, (STEPS, ROW_BANKS, rows))
    steps = [random_step(rng, rows) for _ in range(STEPS)]
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
        bounds = (step["pad_value"], step["input_low"], step["input_high"])
        for row in range(ROW_BANKS):
            row_bytes = step["row_bytes"] if step["rows_valid"] >> row & 1 else 0
            assert operands[row] == pad_and_clamp(fetched[row], step["offset"], row_bytes, *bounds)


def random_step(rng: np.random.Generator, rows: int) -> dict[str, int]:
    """A step whose vector often straddles an end of its row; offsets and rows reach the fields' ends."""
    row_bytes = int(rng.choice([0, 1, rows - 1, rows, rows + 1, 1000, 2**18 - 1]))
    near = int(rng.integers(-rows - 2, rows + 3))
    offset = int(rng.choice([near, row_bytes + near, row_bytes // 2, -(2**18), 2**19 - 1]))
    low, high = sorted(int(value) for value in rng.integers(-128, 128, 2))
    clamp = (low, high) if rng.random() < 0.5 else (-128, 127)
    return {
        "offset": offset,
        "row_bytes": row_bytes,
        "rows_valid": int(rng.choice([0, 2**ROW_BANKS - 1, rng.integers(2**ROW_BANKS)])),
        "pad_value": int(rng.integers(-128, 128)),
        "input_low": clamp[0],
        "input_high": clamp[1],
    }
