"""Bench: an array of any dataflow, the steps of random programs with random operands, against its golden."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.config import ROW_BANKS
from hwgen.rtl.mac_steps import mac_steps
from hwgen.rtl.multiplier_array import Array, ArrayGolden
from hwgen.rtl.operand_rows import Rows
from hwgen.rtl.partial_sums import ACC_BITS
from hwgen.rtl.step import ControlLayout, StepFields
from sim.benches.components.setup import configuration, start
from sim.benches.stimulus import random_macs, selecting_weights

CONFIG = configuration()
LATENCY = Array(CONFIG).latency
INSTRUCTIONS = 30


def random_bytes(count: int) -> list[int]:
    """Signed; extremes are as likely as the rest."""
    return [random.choice((-128, 127, random.randint(-128, 127))) for _ in range(count)]


def packed(vectors: Rows) -> int:
    return int.from_bytes(bytes(value & 0xFF for vector in vectors for value in vector), "little")


def accumulators(word: int) -> list[int]:
    """The signed partial sums of an entry."""
    data = word.to_bytes(ACC_BITS // 8 * CONFIG.cols, "little")
    return [
        int.from_bytes(data[i : i + ACC_BITS // 8], "little", signed=True) for i in range(0, len(data), ACC_BITS // 8)
    ]


def random_steps(rng: np.random.Generator) -> list[StepFields]:
    program = random_macs(rng, INSTRUCTIONS, CONFIG)
    for mac in program:
        mac["step_rows"] = random.randint(1, min(ROW_BANKS, CONFIG.rows))
    return mac_steps(program, CONFIG)


@cocotb.test()
@cocotb.parametrize(pause=[0.0, 0.5])
async def agrees_with_the_golden(dut: Any, pause: float) -> None:
    await start(dut, "arriving", "drain_slot", "weights", "vectors")
    golden = ArrayGolden(CONFIG)
    visible: dict[int, list[int]] = {}
    """Partial sums by slot, of the steps that have gone through."""
    under_way: list[tuple[int, int, dict[int, list[int]]]] = []
    """Whether a step completes its pixel or an instruction that holds its sums, and what it leaves, by cycle."""
    rng = np.random.default_rng(random.getrandbits(32))
    program = random_steps(rng)
    # The windows still have columns of the test before, which instructions of few columns do not push out.
    slide = dict.fromkeys(program[0], 0) | {"fetch": 1, "slide": 1, "step_rows": 1}
    steps = [slide] * CONFIG.rows + program
    arriving: StepFields | None = None
    while steps or arriving or any(sums for _, _, sums in under_way[-LATENCY:]):
        await FallingEdge(dut.clk)
        vectors = [random_bytes(CONFIG.rows) for _ in range(ROW_BANKS)]
        # A step's control comes a cycle before its operands.
        step, arriving = arriving, None if not steps or random.random() < pause else steps.pop(0)
        if step and step["take_maximum"]:
            weights = selecting_weights(rng, (CONFIG.cols, CONFIG.rows)).tolist()
        else:
            weights = [random_bytes(CONFIG.rows) for _ in range(CONFIG.cols)]
        dut.vectors.value, dut.weights.value = packed(vectors), packed(weights)
        control = {name: arriving[name] for name, _ in ControlLayout} if arriving else None
        dut.arriving.value = ControlLayout.const(control).as_bits()
        if step is None:
            under_way.append((0, 0, {}))
        else:
            golden.step(step, vectors, weights)
            leaves = bool(step["mac"] and step["chunk_last"])
            sums = {step["slot"]: golden.sums[step["slot"]]} if leaves else {}
            under_way.append((step["complete"], step["held"], sums))

        pixel_done, hold_done, sums = 0, 0, {}
        if len(under_way) > LATENCY:
            pixel_done, hold_done, sums = under_way[-1 - LATENCY]
        drained = random.choice(list(visible)) if visible else 0
        dut.drain_slot.value = drained
        await ReadOnly()
        assert (dut.pixel_done.value, dut.hold_done.value) == (pixel_done, hold_done) or len(under_way) <= LATENCY
        assert not visible or accumulators(int(dut.drained.value)) == visible[drained]
        visible |= sums
