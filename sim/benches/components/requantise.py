"""Bench: RequantiseLane, random accumulators in most cycles, with pauses, against ``requantise``."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge

from hwgen.isa import RoundingMode
from hwgen.rtl.requantise import ModeLayout, ParameterLayout, RequantiseLane, requantise
from sim.benches.components.setup import start

VECTORS = 8000


def accumulator() -> tuple[int, dict[str, int]]:
    """A random accumulator with parameters: most often with a result near those that clamps tell apart.

    Extremes are as likely as the rest, and so are powers of two, whose products lie halfway between two results.
    """
    bits = random.randint(0, 31)
    acc, bias = (max(-(1 << 31), min(random.randint(-(1 << bits), 1 << bits), (1 << 31) - 1)) for _ in range(2))
    multiplier = random.choice(
        (0, 1 << 30, (1 << 31) - 1, 1 << random.randrange(31), random.randrange(1 << 30, 1 << 31))
    )
    visible = 31 - (bits + multiplier.bit_length() - random.randint(0, 10))
    shift = random.choice((visible, visible, random.randint(-31, 30)))
    return acc, {"bias": random.choice((0, bias)), "multiplier": multiplier, "shift": max(-31, min(shift, 30))}


@cocotb.test()
async def agrees_with_the_golden(dut: Any) -> None:
    await start(dut)
    expected: list[int | None] = []
    pause = 0
    modes = [ModeLayout.const({}).as_bits()] * RequantiseLane.latency
    for cycle in range(VECTORS + RequantiseLane.latency):
        await FallingEdge(dut.clk)
        if cycle >= RequantiseLane.latency and expected[cycle - RequantiseLane.latency] is not None:
            assert dut.result.value.to_signed() == expected[cycle - RequantiseLane.latency]
        rounding = random.choice(list(RoundingMode))
        acc, parameters = accumulator()
        low, high = sorted(random.randint(-128, 127) for _ in range(2))
        zero_point = random.randint(-128, 127)
        mode = {"rounding": rounding, "zero_point": zero_point, "clamp_low": low, "clamp_high": high}
        dut.acc.value = acc & 0xFFFFFFFF
        dut.parameters.value = ParameterLayout.const(parameters).as_bits()
        modes = [ModeLayout.const(mode).as_bits(), *modes[:-1]]
        dut.modes.value = sum(bits << ModeLayout.size * stage for stage, bits in enumerate(modes))
        pause = pause - 1 if pause else random.choice((*[0] * 20, 1, 5, 30))
        result = min(max(requantise(acc, rounding=rounding, **parameters) + zero_point, low), high)
        expected.append(None if pause else result)
        dut.works.value = any(each is not None for each in expected[-RequantiseLane.latency :])
