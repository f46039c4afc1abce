"""Bench: MacSequencer, random programs through a pausing stream, sums drained soon or late, against ``mac_steps``."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from hwgen.isa import Opcode, encode
from hwgen.rtl.mac_steps import mac_steps
from hwgen.rtl.step import step_fields, step_layout
from sim.benches.components.setup import configuration, start
from sim.benches.stimulus import random_macs
from sim.benches.streams import put

CONFIG = configuration()
LAYOUT = step_layout(CONFIG)
INSTRUCTIONS = 20


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pause=[0.0, 0.8], longest_drain=[0, 60])
async def agrees_with_the_golden(dut: Any, pause: float, longest_drain: int) -> None:
    await start(dut, "instructions__valid", "slot_drained")
    program = random_macs(np.random.default_rng(random.getrandbits(32)), INSTRUCTIONS, CONFIG)
    payloads = [int.from_bytes(encode(Opcode.MAC, **mac), "little") for mac in program]
    cocotb.start_soon(put(dut, "instructions", payloads, pause))
    cycle = 0
    drains: list[tuple[int, int]] = []
    """Cycle in which each partial sum that is complete will have been drained, and its slot."""
    macs = 0
    """Of the last cycle's step."""
    for expected in mac_steps(program, CONFIG):
        step = LAYOUT.from_bits(0)
        while not (step.control.fetch or step.control.mac):
            await FallingEdge(dut.clk)
            cycle += 1
            due = bool(drains) and drains[0][0] <= cycle
            drains = drains[due:]
            dut.slot_drained.value = due
            assert int(dut.macs.value) == macs
            macs = 0
            step = LAYOUT.from_bits(int(dut.step.value))
        macs = expected.pop("macs") * expected["mac"]
        assert step_fields(step) == expected
        assert all(slot != expected["slot"] for _, slot in drains), "a complete sum is overwritten before it is drained"
        if expected["complete"]:
            last = drains[-1][0] if drains else 0
            drains.append((max(cycle + random.randint(0, longest_drain), last) + 1, expected["slot"]))
    assert not dut.active.value
    await FallingEdge(dut.clk)
    assert int(dut.macs.value) == macs
