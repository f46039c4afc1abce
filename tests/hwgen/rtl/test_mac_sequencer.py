"""The MAC sequencer's steps against the loops that the instruction set describes, written as Python loops."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from amaranth.sim import Simulator

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS, Opcode, encode
from hwgen.rtl.mac_sequencer import MacSequencer
from hwgen.rtl.step import slot_bits

Step = dict[str, object]
CYCLES = 40_000


def walk(mac: dict[str, int], rf_depth: int, bank: int, bank_bit: int) -> Iterator[Step]:
    """Every step of one instruction, in order; ``bank`` is the half of the register file that it begins in."""
    reduction = [(kernel, segment) for kernel in range(mac["kernel_steps"]) for segment in range(mac["segment_steps"])]
    for group in range(mac["groups"]):
        for block in blocks_of(mac, rf_depth):
            for number, (kernel_step, segment_step) in enumerate(reduction):
                for pixel, (y, x) in enumerate(block):
                    row = mac["first_row"] + y * mac["row_stride"] + kernel_step * mac["step_rows"]
                    rows = [row + index for index in range(mac["step_rows"])]
                    word = number + (0 if mac["weights_shared"] else group * len(reduction))
                    kernel_rows = mac["last_rows"] if kernel_step == mac["kernel_steps"] - 1 else mac["step_rows"]
                    lanes = mac["last_lanes"] if segment_step == mac["segment_steps"] - 1 else mac["lanes"]
                    channels = mac["last_channels"] if group == mac["groups"] - 1 else mac["group_channels"]
                    for column in range(mac["next_column"] if pixel else 0, mac["columns"]):
                        offset = (
                            mac["first_offset"]
                            + x * mac["x_step"]
                            + segment_step * mac["segment_stride"]
                            + column * mac["column_stride"]
                            + group * mac["group_stride"]
                        )
                        column_last = column == mac["columns"] - 1
                        yield {
                            "mac": int(column_last),
                            "first": int(number == 0 and not mac["accumulate"]),
                            "take_maximum": mac["take_maximum"],
                            "block_end": int(number == len(reduction) - 1 and pixel == len(block) - 1 and column_last),
                            "slot": pixel | bank << bank_bit,
                            "slide": mac["slide"],
                            "step_rows": mac["step_rows"],
                            "fetched": {
                                index: (row % ROW_BANKS, (address(mac, row) + offset) % 2**ACT_ADDRESS_BITS)
                                for index, row in enumerate(rows)
                                if 0 <= row < mac["in_rows"]
                            },
                            "rows_valid": sum(0 <= row < mac["in_rows"] and 1 << i for i, row in enumerate(rows)),
                            "offset": offset,
                            "row_bytes": mac["in_row_bytes"],
                            "pad_value": mac["pad_value"],
                            "input_low": mac["input_low"],
                            "input_high": mac["input_high"],
                            "weight_address": mac["weight_address"] + (0 if mac["weights_constant"] else word),
                            "macs": lanes * kernel_rows * channels,
                        }
            if not mac["hold"]:
                bank = 1 - bank


def blocks_of(mac: dict[str, int], rf_depth: int) -> list[list[tuple[int, int]]]:
    """The pixels, (row, column), of each block; where the window slides, a block ends with the output row."""
    rows = [[(y, x) for x in range(mac["out_width"])] for y in range(mac["out_height"])]
    runs = rows if mac["slide"] else [[pixel for row in rows for pixel in row]]
    return [run[start : start + rf_depth] for run in runs for start in range(0, len(run), rf_depth)]


def address(mac: dict[str, int], row: int) -> int:
    """First byte of a stored row, in its bank."""
    return mac["in_address"] + row // ROW_BANKS * mac["in_pitch"]


def random_mac(rng: np.random.Generator, **fixed: int) -> dict[str, int]:
    """A MAC instruction of few steps and any strides."""
    slide, step_rows = int(rng.integers(2)), int(rng.integers(1, ROW_BANKS + 1))
    columns = int(rng.integers(1, 6)) if slide else 1
    return {
        "in_address": int(rng.integers(0, 2**ACT_ADDRESS_BITS)),
        "in_pitch": int(rng.integers(0, 5000)),
        "in_rows": int(rng.integers(0, 16)),
        "in_row_bytes": int(rng.integers(0, 2**18)),
        "first_row": int(rng.choice([-4096, -3, -1, 0, 0, 0, 2, 4095])),
        "first_offset": int(rng.choice([-(2**18), -40, 0, 0, 17, 2**18 - 1])),
        "row_stride": int(rng.integers(1, 4)),
        "x_step": int(rng.integers(0, 2**16)),
        "out_width": int(rng.integers(1, 6)),
        "out_height": int(rng.integers(1, 4)),
        "kernel_steps": int(rng.integers(1, 4)),
        "step_rows": step_rows,
        "last_rows": int(rng.integers(1, step_rows + 1)),
        "segment_steps": int(rng.integers(1, 4)),
        "segment_stride": int(rng.integers(0, 2**18)),
        "slide": slide,
        "columns": columns,
        "next_column": int(rng.integers(0, columns)),
        "column_stride": int(rng.integers(0, 2**14)),
        "groups": int(rng.integers(1, 4)),
        "group_stride": int(rng.integers(0, 2**14)),
        "weight_address": int(rng.integers(0, 2**18 - 200)),
        "weights_constant": int(rng.integers(2)),
        "weights_shared": int(rng.integers(2)),
        "pad_value": int(rng.integers(-128, 128)),
        "input_low": int(rng.integers(-128, 128)),
        "input_high": int(rng.integers(-128, 128)),
        "take_maximum": int(rng.integers(2)),
        "accumulate": 0,
        "hold": 0,
        "lanes": int(rng.integers(0, 32 // step_rows + 1)),
        "last_lanes": int(rng.integers(0, 32 // step_rows + 1)),
        "group_channels": int(rng.integers(1, 33)),
        "last_channels": int(rng.integers(1, 33)),
        **fixed,
    }


def random_program(rng: np.random.Generator, instructions: int, rf_depth: int) -> list[dict[str, int]]:
    """Instructions, some of them runs that pass partial sums of one block from one to the next."""
    program: list[dict[str, int]] = []
    while len(program) < instructions:
        if rng.random() < 0.5:
            program.append(random_mac(rng))
            continue
        block = {"groups": 1, "out_height": 1, "out_width": int(rng.integers(1, min(rf_depth, 5) + 1))}
        slices = int(rng.integers(2, 5))
        for index in range(slices):
            program.append(random_mac(rng, **block, accumulate=int(index > 0), hold=int(index < slices - 1)))
    return program


def golden_steps(program: list[dict[str, int]], config: AcceleratorConfig) -> list[tuple[Step, bool]]:
    """Every step, and whether it completes sums that are drained."""
    steps: list[tuple[Step, bool]] = []
    for mac in program:
        drained = sum(completes for _, completes in steps)
        walked = walk(mac, config.rf_depth, drained % 2, slot_bits(config) - 1)
        steps += [(step, bool(step["block_end"] and not mac["hold"])) for step in walked]
    return steps


def simulate(
    config: AcceleratorConfig, program: list[dict[str, int]], drain_cycles: tuple[int, int], gaps: float
) -> list[tuple[int, Step]]:
    """(cycle, step) of every step; each finished bank is drained after ``drain_cycles`` (at least, at most)."""
    dut = MacSequencer(config)
    rng = np.random.default_rng(0)
    golden = golden_steps(program, config)
    seen: list[tuple[int, Step]] = []

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
        for cycle in range(CYCLES):
            if len(seen) == len(golden):
                return
            due = bool(drains) and drains[0] <= cycle
            ctx.set(dut.bank_drained, due)
            if due:
                drains.pop(0)
            _, _, step = await ctx.tick().sample(dut.step)
            if not step.control.fetch:
                assert not step.control.mac
                continue
            seen.append((cycle, observed(step)))
            if golden[len(seen) - 1][1]:
                drains.append(max(cycle + int(rng.integers(*drain_cycles, endpoint=True)), *drains[-1:], 0) + 1)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(feed, background=True)
    simulator.add_testbench(watch)
    simulator.run()
    return seen


CONTROL = ("mac", "first", "take_maximum", "block_end", "slot", "slide", "step_rows")
OPERANDS = ("rows_valid", "offset", "row_bytes", "pad_value", "input_low", "input_high", "weight_address", "macs")


def observed(step) -> Step:
    """The fields of a sampled step, with the bank and address of every row that it fetches."""
    fetch = step.fetch
    places = {
        row: ((fetch.bank + row) % ROW_BANKS, fetch.wrapped_address if fetch.bank + row >= ROW_BANKS else fetch.address)
        for row in range(ROW_BANKS)
        if fetch.rows >> row & 1
    }
    return {**{n: step.control[n] for n in CONTROL}, **{n: step[n] for n in OPERANDS}, "fetched": places}


def assert_steps(config: AcceleratorConfig, program: list[dict[str, int]], seen: list[tuple[int, Step]]) -> None:
    golden = [step for step, _ in golden_steps(program, config)]
    assert len(seen) == len(golden)
    for index, ((_, step), expected) in enumerate(zip(seen, golden, strict=True)):
        assert step == expected, f"step {index}"


@pytest.mark.parametrize("rf_depth", [1, 2, 3, 16])
@pytest.mark.parametrize("drain_cycles", [(0, 0), (0, 60)], ids=["drained at once", "drained slowly"])
def test_random_programs(rf_depth: int, drain_cycles: tuple[int, int]) -> None:
    config = AcceleratorConfig(rf_depth=rf_depth)
    program = random_program(np.random.default_rng(rf_depth), 12, rf_depth)
    assert_steps(config, program, simulate(config, program, drain_cycles, gaps=0.5))


def test_steps_follow_each_other_without_a_gap() -> None:
    """One step per cycle, from one instruction to the next too, while a bank is free."""
    config = AcceleratorConfig(rf_depth=4)
    rng = np.random.default_rng(0)
    block = {"groups": 1, "out_height": 1, "out_width": 4, "kernel_steps": 3}
    program = [random_mac(rng, **block) for _ in range(5)]
    seen = simulate(config, program, (0, 0), gaps=0.0)
    assert_steps(config, program, seen)
    assert all(later == earlier + 1 for (earlier, _), (later, _) in pairwise(seen))


def test_a_third_block_waits_for_a_bank() -> None:
    config = AcceleratorConfig(rf_depth=2)
    block = {
        "groups": 1,
        "out_height": 1,
        "out_width": 6,
        "kernel_steps": 1,
        "segment_steps": 1,
        "slide": 0,
        "columns": 1,
        "next_column": 0,
    }
    program = [random_mac(np.random.default_rng(0), **block)]
    seen = simulate(config, program, (50, 50), gaps=0.0)
    assert_steps(config, program, seen)
    cycles = [cycle for cycle, _ in seen]
    first_block_end, third_block_start = cycles[1], cycles[4]
    assert cycles[:4] == list(range(cycles[0], cycles[0] + 4))
    assert third_block_start > first_block_end + 50
