"""Bench: Counters, random increments and reads, against sums."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, FallingEdge

from hwgen.registers import COUNTERS
from hwgen.rtl.counters import Counters, largest_increment
from sim.benches.components.setup import configuration, start

CONFIG = configuration()
LARGEST = [largest_increment(counter.name, CONFIG) for counter in COUNTERS]
MACS = [counter.name for counter in COUNTERS].index("macs")


async def begin(dut: Any) -> None:
    await start(dut, "clear", "counts", "read", *(f"increments__{index}" for index in range(len(COUNTERS))))
    await FallingEdge(dut.clk)


@cocotb.test()
async def totals_are_sums_of_what_counts(dut: Any) -> None:
    await begin(dut)
    sums = [[0] * len(COUNTERS)] * Counters.latency
    """Up to the end of each of the last cycles."""
    waits = 0
    for cycle in range(2500):
        clears = waits == 0 and random.random() < 0.005
        counts = not clears and random.random() < 0.8
        at_most = cycle // 200 % 2 == 1
        increments = [most if at_most else random.randint(0, most) for most in LARGEST]
        dut.clear.value, dut.counts.value = clears, counts
        for index, increment in enumerate(increments):
            getattr(dut, f"increments__{index}").value = increment
        if waits == 0 and not clears and random.random() < 0.5:
            dut.read.value, dut.index.value = 1, random.randrange(len(COUNTERS))
        await FallingEdge(dut.clk)
        if dut.valid.value:
            assert dut.total.value == sums[-Counters.latency + 1][int(dut.index.value)]
            assert waits >= Counters.latency - 2, "what was counted before the read is in the total"
            dut.read.value = 0
        waits = waits + 1 if dut.read.value else 0
        assert waits < len(COUNTERS) + Counters.latency, "every counter has its turn"
        grown = [total + increment * counts for total, increment in zip(sums[-1], increments, strict=True)]
        sums.append([0] * len(COUNTERS) if clears else grown)


@cocotb.test()
async def totals_carry_into_their_high_words(dut: Any) -> None:
    await begin(dut)
    dut.clear.value = 1
    await FallingEdge(dut.clk)
    dut.clear.value = 0
    dut.index.value, dut.read.value = MACS, 1
    while not dut.asked_2.value:
        await FallingEdge(dut.clk)
    dut.before.value = (1 << 32) - 3
    await FallingEdge(dut.clk)
    assert dut.valid.value and dut.total.value == (1 << 32) - 3
    dut.read.value = 0
    dut.counts.value, getattr(dut, f"increments__{MACS}").value = 1, 5
    await FallingEdge(dut.clk)
    dut.counts.value = 0
    await ClockCycles(dut.clk, Counters.latency)
    dut.read.value = 1
    while not dut.valid.value:
        await FallingEdge(dut.clk)
    assert dut.total.value == (1 << 32) + 2
