"""Bench: EltwiseAdder, random pairs of operands, with and without gaps, against ``prescale``."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge

from hwgen.isa import AddLayout
from hwgen.rtl.eltwise_adder import EltwiseAdder
from hwgen.rtl.prescale import prescale
from hwgen.rtl.step import ControlLayout
from sim.benches.components.setup import configuration, start

LANES = configuration().eltwise_lanes
INSTRUCTIONS = 300


def random_scale() -> tuple[int, int, int]:
    """Zero point, multiplier and shift, as ``prescale`` takes them."""
    zero_point = random.choice((-128, 127, random.randint(-128, 127)))
    return zero_point, random.choice(((1 << 31) - 1, random.randrange(1 << 30, 1 << 31))), random.randint(0, 31)


async def drive(dut: Any, values: list[int], **control: int) -> None:
    """One cycle's control, and a cycle later its operands."""
    dut.arriving.value = ControlLayout.const(control).as_bits()
    await FallingEdge(dut.clk)
    dut.operands.value = int.from_bytes(bytes(value & 0xFF for value in values), "little")


async def receive(dut: Any, sums: list[list[int]]) -> None:
    """Collect ``sums`` in the cycles in which they are valid."""
    while True:
        await FallingEdge(dut.clk)
        if dut.valid.value:
            data = int(dut.sums.value).to_bytes(4 * LANES, "little")
            sums.append([int.from_bytes(data[4 * i : 4 * i + 4], "little", signed=True) for i in range(LANES)])


@cocotb.test()
async def agrees_with_the_golden(dut: Any) -> None:
    await start(dut, "arriving")
    expected: list[list[int]] = []
    sums: list[list[int]] = []
    cocotb.start_soon(receive(dut, sums))
    await FallingEdge(dut.clk)
    for _ in range(INSTRUCTIONS):
        scales = {side: random_scale() for side in ("left", "right")}
        instruction = {
            f"{side}_{name}": value
            for side, scale in scales.items()
            for name, value in zip(("zero", "multiplier", "shift"), scale, strict=True)
        }
        dut.instruction.value = AddLayout.const(instruction).as_bits()
        for _ in range(random.randint(1, 4)):
            pair = {
                side: [random.choice((-128, 127, random.randint(-128, 127))) for _ in range(LANES)] for side in scales
            }
            await drive(dut, pair["left"], add=1)
            await drive(dut, pair["right"], add=1, right=1)
            expected.append(
                [
                    prescale(left, *scales["left"]) + prescale(right, *scales["right"])
                    for left, right in zip(pair["left"], pair["right"], strict=True)
                ]
            )
            while random.random() < 0.3:
                await drive(dut, pair["left"], right=random.randrange(2))
        await drive(dut, pair["left"])  # an instruction is held until its last operand has passed
    for _ in range(EltwiseAdder.latency + 1):
        await drive(dut, [0] * LANES)
    assert sums == expected
