"""Bench: RequantiseLane, one random accumulator per cycle, against ``requantise``."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge

from hwgen.isa import RoundingMode
from hwgen.rtl.requantise import ModeLayout, ParameterLayout, RequantiseLane, requantise
from sim.benches.components.setup import start

VECTORS = 3000


def accumulator(rounding: RoundingMode) -> tuple[int, dict[str, int]]:
    """A random accumulator with parameters that the compiler may give it; extremes are as likely as the rest."""
    multiplier = random.choice((0, 1 << 30, (1 << 31) - 1, random.randrange(1 << 30, 1 << 31)))
    if rounding is RoundingMode.MEAN:
        count = random.randint(1, 400)
        value = random.randint(-128 * count, 127 * count)
        return value, {"bias": count // 2, "multiplier": multiplier, "shift": -random.randint(0, 9)}
    bits = random.randint(1, 30)
    return random.randint(-(1 << bits), 1 << bits), {
        "bias": random.randint(-(1 << bits), 1 << bits),
        "multiplier": multiplier,
        "shift": random.randint(-20, 30 - bits if rounding is RoundingMode.DOUBLE else 0),
    }


@cocotb.test()
async def agrees_with_the_golden(dut: Any) -> None:
    await start(dut)
    expected: list[int] = []
    modes = [ModeLayout.const({}).as_bits()] * RequantiseLane.latency
    for cycle in range(VECTORS + RequantiseLane.latency):
        await FallingEdge(dut.clk)
        if cycle >= RequantiseLane.latency:
            assert dut.result.value.to_signed() == expected[cycle - RequantiseLane.latency]
        rounding = random.choice(list(RoundingMode))
        acc, parameters = accumulator(rounding)
        low, high = sorted(random.randint(-128, 127) for _ in range(2))
        zero_point = random.randint(-128, 127)
        mode = {"rounding": rounding, "zero_point": zero_point, "clamp_low": low, "clamp_high": high}
        dut.acc.value = acc & 0xFFFFFFFF
        dut.parameters.value = ParameterLayout.const(parameters).as_bits()
        modes = [ModeLayout.const(mode).as_bits(), *modes[:-1]]
        dut.modes.value = sum(bits << ModeLayout.size * stage for stage, bits in enumerate(modes))
        expected.append(min(max(requantise(acc, rounding=rounding, **parameters) + zero_point, low), high))
