"""Bench: AddSequencer, random instructions through a pausing stream, against ``add_steps``."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from hwgen.isa import INSTRUCTION_BYTES, Opcode, encode
from hwgen.rtl.add_sequencer import add_steps
from hwgen.rtl.step import step_fields, step_layout
from sim.benches.components.setup import configuration, start
from sim.benches.stimulus import random_add

CONFIG = configuration()
LANES = CONFIG.eltwise_lanes
INSTRUCTIONS = 30


async def put(dut: Any, payloads: list[int], pause: float) -> None:
    """Announce each instruction when the one before has been walked, and offer it from then or a while later."""
    for payload in payloads:
        while True:
            await FallingEdge(dut.clk)
            if not dut.active.value:
                break
        dut.announced.value = 1
        dut.instructions__payload.value = payload
        while random.random() < pause:
            await FallingEdge(dut.clk)
        dut.instructions__valid.value = 1
        await FallingEdge(dut.clk)
        dut.instructions__valid.value = dut.announced.value = 0
        dut.instructions__payload.value = random.getrandbits(8 * INSTRUCTION_BYTES)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pause=[0.0, 0.8])
async def agrees_with_the_golden(dut: Any, pause: float) -> None:
    await start(dut, "instructions__valid", "announced")
    rng = np.random.default_rng(random.getrandbits(32))
    program = [random_add(rng) for _ in range(INSTRUCTIONS)]
    payloads = [int.from_bytes(encode(Opcode.ADD, **add), "little") for add in program]
    cocotb.start_soon(put(dut, payloads, pause))
    for expected in [step for add in program for step in add_steps(add, LANES)]:
        await FallingEdge(dut.clk)
        while not dut_step(dut).control.add:
            assert not expected["right"], "the adder has the left operand only in the cycle before the right one"
            await FallingEdge(dut.clk)
        assert step_fields(dut_step(dut)) == expected
    assert not dut.active.value and int(dut.instruction.value) == payloads[-1]


def dut_step(dut: Any) -> Any:
    return step_layout(CONFIG).from_bits(int(dut.step.value))
