"""Bench: ComputeEngine, random MAC and ADD instructions over a random activation buffer, against its parts' goldens."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from hwgen.config import ROW_BANKS, Dataflow
from hwgen.isa import ACT_ADDRESS_BITS, PARAMETER_BYTES, Opcode, RoundingMode, encode
from hwgen.rtl.act_buffer import ActBuffer, PlaceLayout
from hwgen.rtl.add_sequencer import add_steps
from hwgen.rtl.drain_writes import Write, add_writes, mac_writes
from hwgen.rtl.instruction_gate import ReleasedComputationLayout
from hwgen.rtl.mac_steps import mac_steps
from hwgen.rtl.multiplier_array import ArrayGolden
from hwgen.rtl.operand_rows import Rows
from hwgen.rtl.operand_stage import step_operands
from hwgen.rtl.prescale import prescale
from hwgen.rtl.step import FetchLayout, StepFields, fetched_places
from sim.benches.components.setup import configuration, start
from sim.benches.stimulus import random_add, random_macs, selecting_weights
from sim.benches.streams import put

CONFIG = configuration()
LANES = CONFIG.requant_lanes
INSTRUCTIONS = 40
LARGEST_REDUCTION = 3**3 * 5
"""Weight words of an instruction."""
COUNTED = ("macs", "weight_reads", "weight_file_used", "input_file_used", "psum_updates")
Instruction = tuple[Opcode, dict[str, int]]


def random_program(rng: np.random.Generator, take_maximum: bool) -> list[Instruction]:
    program: list[Instruction] = []
    while len(program) < INSTRUCTIONS:
        if rng.random() < 0.3:
            program.append((Opcode.ADD, random_add(rng) | random_scales(rng) | random_results(rng)))
        else:
            kind = {"take_maximum": int(take_maximum)}
            macs = random_macs(rng, 1, CONFIG)
            program += [(Opcode.MAC, mac | kind | random_places(rng) | random_results(rng)) for mac in macs]
    return program


def random_places(rng: np.random.Generator) -> dict[str, int]:
    """Fields with which an instruction fits the engine's buffers and columns."""
    step_rows = int(rng.integers(1, min(ROW_BANKS, CONFIG.rows) + 1))
    low, high = sorted(int(value) for value in rng.integers(-128, 128, 2))
    return {
        "step_rows": step_rows,
        "last_rows": 1,
        "weight_address": int(rng.integers(CONFIG.weight_words - LARGEST_REDUCTION)),
        "input_low": low,
        "input_high": high,
        "group_channels": int(rng.integers(1, CONFIG.cols + 1)),
        "last_channels": int(rng.integers(1, CONFIG.cols + 1)),
        "out_bank": int(rng.integers(ROW_BANKS)),
        "out_pitch": int(rng.integers(1000)),
        "out_step": int(rng.integers(1000)),
        "parameters_constant": int(rng.integers(2)),
    }


def random_scales(rng: np.random.Generator) -> dict[str, int]:
    """The scales of both operands of an addition."""
    return {
        f"{side}_{name}": int(rng.integers(*limits))
        for side in ("left", "right")
        for name, limits in {"zero": (-128, 128), "multiplier": (2**30, 2**31), "shift": (0, 32)}.items()
    }


def random_results(rng: np.random.Generator) -> dict[str, int]:
    """What becomes of the sums, and where."""
    low, high = sorted(int(value) for value in rng.integers(-128, 128, 2))
    return {
        "out_address": int(rng.integers(2**ACT_ADDRESS_BITS)),
        "parameter_address": int(rng.integers(CONFIG.parameter_words - 3 * -(-CONFIG.cols // LANES) + 1)),
        "rounding": int(rng.integers(len(RoundingMode))),
        "zero_point": int(rng.integers(-128, 128)),
        "clamp_low": low,
        "clamp_high": high,
    }


class Buffers:
    """Random contents of the activation, weight and parameter buffers; weights keep sums within 20 bits."""

    def __init__(self, rng: np.random.Generator, take_maximum: bool) -> None:
        self.banks = rng.integers(-128, 128, (ROW_BANKS, 2**ACT_ADDRESS_BITS), np.int8)
        shape = (CONFIG.weight_words, CONFIG.cols, CONFIG.rows)
        self.weights = selecting_weights(rng, shape) if take_maximum else rng.integers(-8, 8, shape, np.int8)
        self.parameters = [
            [
                {
                    "bias": int(rng.integers(2**16)),
                    "multiplier": int(rng.integers(2**30, 2**31)),
                    "shift": -int(rng.integers(17)),
                }
                for _ in range(LANES)
            ]
            for _ in range(CONFIG.parameter_words)
        ]

    def vectors(self, places: dict[int, tuple[int, int]]) -> Rows:
        """What a fetch returns, by row; rows that are not fetched read as zeros."""
        vectors = [[0] * CONFIG.rows for _ in range(ROW_BANKS)]
        for row, (bank, address) in places.items():
            vectors[row] = self.banks[bank].take(range(address, address + CONFIG.rows), mode="wrap").tolist()
        return vectors

    async def load(self, dut: Any) -> None:
        """Write weights and parameters through the load engine's port."""
        words = [("weight_write", address, word.tobytes()) for address, word in enumerate(self.weights)]
        for address, lanes in enumerate(self.parameters):
            entries = [
                entry["bias"].to_bytes(4, "little")
                + entry["multiplier"].to_bytes(4, "little")
                + (entry["shift"] & 0xFF).to_bytes(PARAMETER_BYTES - 8, "little")
                for entry in lanes
            ]
            words.append(("parameter_write", address, b"".join(entries)))
        for enable, address, word in words:
            await FallingEdge(dut.clk)
            dut.weight_write.value = enable == "weight_write"
            dut.parameter_write.value = enable == "parameter_write"
            dut.word_address.value = address
            dut.word.value = int.from_bytes(word, "little")
        await FallingEdge(dut.clk)
        dut.weight_write.value = dut.parameter_write.value = 0

    async def answer(self, dut: Any) -> None:
        """Answer a fetch in every cycle."""
        due = deque([0] * ActBuffer.fetch_latency)
        while True:
            await FallingEdge(dut.clk)
            places = fetched_places(FetchLayout.from_bits(int(dut.fetch.value)))
            due.append(int.from_bytes(np.array(self.vectors(places), np.int8).tobytes(), "little"))
            dut.fetched.value = due.popleft()


def golden_sums(steps: list[StepFields], buffers: Buffers) -> list[list[int]]:
    """The columns' sums of every output pixel, in the order in which the steps complete them."""
    complete: list[list[int]] = []
    array = ArrayGolden(CONFIG)
    for step in steps:
        vectors = step_operands(step, buffers.vectors(step["fetched"]))
        array.step(step, vectors, buffers.weights[step["weight_address"]].tolist())
        if step["complete"]:
            complete.append(array.sums[step["slot"]])
    return complete


def golden_add(add: dict[str, int], buffers: Buffers) -> list[Write]:
    scaled = []
    for step in add_steps(add, CONFIG.eltwise_lanes):
        side = "right" if step["right"] else "left"
        vector = buffers.vectors(step["fetched"])[0][: CONFIG.eltwise_lanes]
        scale = [add[f"{side}_{name}"] for name in ("zero", "multiplier", "shift")]
        scaled.append([prescale(value, *scale) for value in vector])
    sums = [list(map(int.__add__, *pair)) for pair in zip(scaled[::2], scaled[1::2], strict=True)]
    place = {"out_bank": 0, "out_pitch": add["pitch"], "out_height": add["rows"]}
    return add_writes(add | place, sums, buffers.parameters)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize((("pause", "take_maximum"), [(0.0, False), (0.9, True)]))
async def agrees_with_the_goldens(dut: Any, pause: float, take_maximum: bool) -> None:
    rng = np.random.default_rng(random.getrandbits(32))
    buffers, program = Buffers(rng, take_maximum), random_program(rng, take_maximum)
    await start(dut, "instructions__valid", "weight_write", "parameter_write")
    await buffers.load(dut)

    steps = mac_steps([fields for opcode, fields in program if opcode is Opcode.MAC], CONFIG)
    sums = deque(golden_sums(steps, buffers))
    expected: list[Write] = []
    payloads = [
        ReleasedComputationLayout.const(
            {
                "instruction": int.from_bytes(encode(opcode, **fields), "little"),
                "is_add": opcode is Opcode.ADD,
            }
        ).as_bits()
        for opcode, fields in program
    ]
    cocotb.start_soon(put(dut, "instructions", payloads, pause))
    cocotb.start_soon(buffers.answer(dut))
    written: list[Write] = []
    coming = 0, PlaceLayout.const(None)
    """Strobe and place of the results of the next cycle."""
    counts = dict.fromkeys(COUNTED, 0)
    for opcode, fields in program:
        if opcode is Opcode.ADD:
            expected += golden_add(fields, buffers)
        elif not fields["hold"]:
            pixels = fields["groups"] * fields["out_height"] * fields["out_width"]
            expected += mac_writes(fields, [sums.popleft() for _ in range(pixels)], buffers.parameters, LANES)
        retired = False
        while not retired:
            await FallingEdge(dut.clk)
            retired = bool(dut.retire.value)
            strobe, place = coming
            coming = int(dut.write_strobe.value), PlaceLayout.from_bits(int(dut.write_place.value))
            if strobe:
                data = int(dut.write_data.value).to_bytes(LANES, "little")
                written.append((place.bank, place.address, data[: strobe.bit_length()]))
            for name in counts:
                counts[name] += int(getattr(dut, name).value)
        assert written[: len(expected)] == expected
    assert written == expected and not dut.active.value
    array_steps = [step for step in steps if step["mac"]]
    has_files = {
        "weight_file_used": CONFIG.dataflow is not Dataflow.OS,
        "input_file_used": CONFIG.dataflow is Dataflow.RS,
    }
    assert counts == {
        "macs": sum(step["macs"] for step in array_steps),
        "weight_reads": sum(step["new_weights"] for step in array_steps),
        "weight_file_used": len(array_steps) * has_files["weight_file_used"],
        "input_file_used": sum(not step["slide"] for step in array_steps) * has_files["input_file_used"],
        "psum_updates": sum(step["chunk_last"] for step in array_steps),
    }
