"""The MAC sequencer's steps against its golden, the loops written in Python, and the cycles that they take."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from amaranth.sim import Simulator

from hwgen.config import ROW_BANKS, AcceleratorConfig, Dataflow
from hwgen.isa import Opcode, encode, largest
from hwgen.rtl.mac_sequencer import MacSequencer
from hwgen.rtl.mac_steps import mac_steps
from hwgen.rtl.step import StepFields, step_fields
from sim.benches.stimulus import random_mac, random_macs

CYCLES = 40_000


def simulate(
    config: AcceleratorConfig, program: list[dict[str, int]], drain_cycles: tuple[int, int], gaps: float
) -> list[tuple[int, StepFields]]:
    """(cycle, step) of every step, with its MACs; complete pixels are drained after ``drain_cycles`` (least, most)."""
    dut = MacSequencer(config)
    rng = np.random.default_rng(0)
    golden = mac_steps(program, config)
    seen: list[tuple[int, StepFields]] = []

    async def feed(ctx) -> None:
        for mac in program:
            while rng.random() < gaps:
                await ctx.tick()
            ctx.set(dut.instructions.payload, int.from_bytes(encode(Opcode.MAC, **mac), "little"))
            ctx.set(dut.instructions.valid, 1)
            await ctx.tick().until(dut.instructions.ready)
            ctx.set(dut.instructions.valid, 0)

    async def watch(ctx) -> None:
        drains: list[int] = []
        counts = False
        for cycle in range(CYCLES):
            if len(seen) == len(golden) and not counts:
                return
            due = bool(drains) and drains[0] <= cycle
            ctx.set(dut.slot_drained, due)
            if due:
                drains.pop(0)
            _, _, step, macs = await ctx.tick().sample(dut.step, dut.macs)
            if counts:
                seen[-1][1]["macs"] = macs
            counts = bool(step.control.fetch or step.control.mac)
            if not counts:
                continue
            seen.append((cycle, step_fields(step)))
            if golden[len(seen) - 1]["complete"]:
                drains.append(max(cycle + int(rng.integers(*drain_cycles, endpoint=True)), *drains[-1:], 0) + 1)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(feed, background=True)
    simulator.add_testbench(watch)
    simulator.run()
    return seen


def assert_steps(config: AcceleratorConfig, program: list[dict[str, int]], seen: list[tuple[int, StepFields]]) -> None:
    golden = mac_steps(program, config)
    assert len(seen) == len(golden)
    for index, ((_, step), expected) in enumerate(zip(seen, golden, strict=True)):
        assert step == expected | {"macs": expected["macs"] * expected["mac"]}, f"step {index}"


@pytest.mark.parametrize("dataflow", Dataflow)
@pytest.mark.parametrize("rf_depth", [1, 2, 3, 16])
@pytest.mark.parametrize("drain_cycles", [(0, 0), (0, 60)], ids=["drained at once", "drained slowly"])
def test_random_programs(dataflow: Dataflow, rf_depth: int, drain_cycles: tuple[int, int]) -> None:
    config = AcceleratorConfig(dataflow=dataflow, rf_depth=rf_depth)
    program = random_macs(np.random.default_rng(rf_depth), 12, config)
    assert_steps(config, program, simulate(config, program, drain_cycles, gaps=0.5))


@pytest.mark.parametrize("cols", [4, 8, 9, 32])
def test_a_step_counts_all_that_its_instruction_says(cols: int) -> None:
    """Many more MACs than there are multipliers, where pixels share the columns."""
    config = AcceleratorConfig(rows=4, cols=cols)
    lanes = largest(Opcode.MAC, "last_lanes")
    most = {"step_rows": ROW_BANKS, "last_rows": ROW_BANKS, "last_lanes": lanes, "last_channels": cols, "slide": 0}
    program = [random_mac(np.random.default_rng(0), config, **most)]
    assert max(step["macs"] for step in mac_steps(program, config)) == lanes * ROW_BANKS * cols
    assert_steps(config, program, simulate(config, program, (0, 0), gaps=0.0))


def test_steps_follow_each_other_without_a_gap() -> None:
    """One step per cycle, from one instruction to the next too, while partial sums are free."""
    config = AcceleratorConfig(rf_depth=4)
    rng = np.random.default_rng(0)
    block = {"groups": 1, "out_height": 1, "out_width": 4, "kernel_steps": 3}
    program = [random_mac(rng, config, **block) for _ in range(5)]
    seen = simulate(config, program, (0, 0), gaps=0.0)
    assert_steps(config, program, seen)
    assert all(later == earlier + 1 for (earlier, _), (later, _) in pairwise(seen))


def test_a_pixel_waits_until_a_partial_sum_is_free() -> None:
    config = AcceleratorConfig(rf_depth=2)
    assert config.partial_sums == 4
    block = {
        "groups": 1,
        "out_height": 1,
        "out_width": 6,
        "kernel_steps": 1,
        "segment_steps": 1,
        "slide": 0,
        "columns": 1,
        "chunk_steps": 1,
        "next_column": 0,
    }
    program = [random_mac(np.random.default_rng(0), config, **block)]
    seen = simulate(config, program, (50, 50), gaps=0.0)
    assert_steps(config, program, seen)
    cycles = [cycle for cycle, _ in seen]
    assert cycles[:4] == list(range(cycles[0], cycles[0] + 4))
    assert cycles[4] > cycles[0] + 50
    assert cycles[4:] == list(range(cycles[4], cycles[4] + len(cycles) - 4))
