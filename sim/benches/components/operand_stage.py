"""Bench: OperandStage, a random step in every cycle, against ``step_operands``."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from hwgen.config import ROW_BANKS
from hwgen.rtl.act_buffer import ActBuffer
from hwgen.rtl.operand_stage import OperandStage, step_operands
from hwgen.rtl.step import step_layout
from sim.benches.components.setup import configuration, start
from sim.benches.stimulus import random_operands

CONFIG = configuration()
LAYOUT = step_layout(CONFIG)
LANES = CONFIG.rows
STEPS = 2000


def packed(vectors: list[list[int]]) -> int:
    return int.from_bytes(np.array(vectors, np.int8).tobytes(), "little")


@cocotb.test()
async def agrees_with_the_golden(dut: Any) -> None:
    await start(dut, "step", "fetched")
    rng = np.random.default_rng(random.getrandbits(32))
    steps = [random_operands(rng, LANES) for _ in range(STEPS)]
    vectors: list[list[list[int]]] = rng.integers(-128, 128, (STEPS, ROW_BANKS, LANES)).tolist()
    for cycle in range(STEPS + OperandStage.latency):
        await FallingEdge(dut.clk)
        checked, fetched = cycle - OperandStage.latency, cycle - ActBuffer.fetch_latency
        if checked >= 0:
            assert int(dut.operands.value) == packed(step_operands(steps[checked], vectors[checked]))
        if cycle < STEPS:
            dut.step.value = LAYOUT.const(steps[cycle]).as_bits()
        if 0 <= fetched < STEPS:
            dut.fetched.value = packed(vectors[fetched])
