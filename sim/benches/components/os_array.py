"""Bench: OutputStationaryArray, a random step in every cycle, against its goldens and a table of partial sums."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.config import ROW_BANKS
from hwgen.rtl.os_array import (
    ACC_BITS,
    OutputStationaryArray,
    Rows,
    deal_operands,
    dot_products,
    slide_operands,
)
from hwgen.rtl.step import ControlLayout, slot_bits
from sim.benches.components.setup import configuration, start

CONFIG = configuration()
LATENCY = OutputStationaryArray(CONFIG).latency
SLOTS = [bank << slot_bits(CONFIG) - 1 | pixel for bank in range(2) for pixel in range(CONFIG.rf_depth)]
STEPS = 1500


def random_bytes(count: int) -> list[int]:
    """Signed; extremes are as likely as the rest."""
    return [random.choice((-128, 127, random.randint(-128, 127))) for _ in range(count)]


def packed(vectors: Rows) -> int:
    return int.from_bytes(bytes(value & 0xFF for vector in vectors for value in vector), "little")


def accumulators(word: int) -> list[int]:
    """The signed partial sums of a register-file entry."""
    data = word.to_bytes(ACC_BITS // 8 * CONFIG.cols, "little")
    return [
        int.from_bytes(data[i : i + ACC_BITS // 8], "little", signed=True) for i in range(0, len(data), ACC_BITS // 8)
    ]


@cocotb.test()
async def agrees_with_the_goldens(dut: Any) -> None:
    await start(dut, "control", "drain_slot", "weights")
    operands = [[0] * CONFIG.cols for _ in range(CONFIG.rows)]
    sums: dict[int, list[int]] = {}
    """Partial sums by slot, as of the steps issued so far."""
    visible: dict[int, list[int]] = {}
    """The same as of the steps that have gone through."""
    under_way: list[tuple[bool, int, list[int]]] = []
    weights: Rows = []
    for cycle in range(STEPS):
        await FallingEdge(dut.clk)
        if weights:
            dut.weights.value = packed(weights)
        slide = cycle > 0 and random.random() < 0.5  # the first step leaves no row as it was before
        step_rows = random.randint(1, min(ROW_BANKS, CONFIG.rows)) if cycle > 0 else 1
        fetch = not slide or random.random() < 0.7
        vectors = [random_bytes(CONFIG.rows) for _ in range(ROW_BANKS)]
        if fetch:
            operands = (slide_operands if slide else deal_operands)(vectors, step_rows, operands)
        weights = [random_bytes(CONFIG.rows) for _ in range(CONFIG.cols)]
        mac, slot = random.random() < 0.8, random.choice(SLOTS)
        first = slot not in sums or random.random() < 0.2
        take_maximum, block_end = random.random() < 0.3, random.random() < 0.2
        control: dict[str, int] = {
            "fetch": fetch,
            "mac": mac,
            "first": first,
            "take_maximum": take_maximum,
            "block_end": block_end,
        }
        control |= {"slot": slot, "slide": slide, "step_rows": step_rows}
        dut.control.value = ControlLayout.const(control).as_bits()
        dut.operands.value = packed(vectors)
        if mac:
            products = dot_products(operands, weights)
            combine = max if take_maximum else int.__add__
            sums[slot] = products if first else [combine(*pair) for pair in zip(sums[slot], products, strict=True)]
        under_way.append((mac and block_end, slot, sums.get(slot, []) if mac else []))

        block_done = False
        if cycle >= LATENCY:
            block_done, completed, values = under_way[cycle - LATENCY]
            if values:
                visible[completed] = values
        drained = random.choice(list(visible)) if visible else 0
        dut.drain_slot.value = drained
        await ReadOnly()
        assert cycle < LATENCY or dut.block_done.value == block_done
        assert not visible or accumulators(int(dut.drained.value)) == visible[drained]
