"""Bench: PrescaleLane, random operands in most cycles, with pauses, against ``prescale``."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge

from hwgen.rtl.prescale import PrescaleLane, ScaleLayout, prescale
from sim.benches.components.setup import start

VECTORS = 3000


@cocotb.test()
async def agrees_with_the_golden(dut: Any) -> None:
    await start(dut)
    expected: list[int | None] = []
    pause = 0
    scale = ScaleLayout.const(None)
    """Of the operand before."""
    for cycle in range(VECTORS + PrescaleLane.latency):
        await FallingEdge(dut.clk)
        if cycle >= PrescaleLane.latency and expected[cycle - PrescaleLane.latency] is not None:
            assert dut.result.value.to_signed() == expected[cycle - PrescaleLane.latency]
        value = random.choice((-128, 127, random.randint(-128, 127)))
        zero_point = random.choice((-128, 127, random.randint(-128, 127)))
        dut.value.value = value & 0xFF
        dut.zero_point.value = zero_point & 0xFF
        dut.scale.value = scale.as_bits()
        fields = {
            "multiplier": random.choice((1 << 30, (1 << 31) - 1, random.randrange(1 << 30, 1 << 31))),
            "shift": random.randint(0, 31),
        }
        scale = ScaleLayout.const(fields)
        pause = pause - 1 if pause else random.choice((*[0] * 20, 1, 5, 30))
        dut.works.value = any(each is not None for each in expected[-PrescaleLane.latency + 1 :])
        expected.append(None if pause else prescale(value, zero_point, **fields))
