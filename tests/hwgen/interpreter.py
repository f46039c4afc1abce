"""An interpreter of programs, written from the instruction set's documentation: what an accelerator must compute.

Instructions are atomic. Each engine takes its own in order; which engine goes next is drawn at random among those whose
next instruction has nothing left to wait for, so a wait that is missing shows as a wrong result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Shape

from hwgen.arithmetic import multiply_by_quantised_multiplier
from hwgen.graph import Rounding
from hwgen.isa import (
    ACT_ADDRESS_BITS,
    INSTRUCTION_BYTES,
    LAYOUTS,
    PARAMETER_BYTES,
    Opcode,
    Region,
    RoundingMode,
)
from hwgen.program import Engine, Program

ENGINES = {
    Opcode.LOAD_ACT: Engine.LOAD,
    Opcode.LOAD_WEIGHT: Engine.LOAD,
    Opcode.LOAD_PARAM: Engine.LOAD,
    Opcode.MAC: Engine.COMPUTE,
    Opcode.ADD: Engine.COMPUTE,
    Opcode.STORE: Engine.STORE,
}


@dataclass(frozen=True)
class Instruction:
    """A decoded instruction."""

    opcode: Opcode
    fields: dict[str, int]

    def __getattr__(self, name: str) -> int:
        return self.fields[name]

    @property
    def waits(self) -> dict[Engine, int]:
        return {engine: self.fields[f"wait_{engine.name.lower()}"] for engine in Engine}


def decode(word: bytes) -> Instruction:
    """The instruction that ``INSTRUCTION_BYTES`` bytes hold."""
    bits = int.from_bytes(word, "little")
    opcode = Opcode(bits & 15)
    fields = {}
    for name, member in LAYOUTS[opcode]:
        value = bits >> member.offset & (1 << member.width) - 1
        negative = Shape.cast(member.shape).signed and value >> member.width - 1
        fields[name] = value - (1 << member.width) if negative else value
    return Instruction(opcode, fields)


def instructions(image: bytes) -> list[Instruction]:
    """The image's instructions up to its first END, which is included."""
    decoded: list[Instruction] = []
    while not decoded or decoded[-1].opcode is not Opcode.END:
        start = len(decoded) * INSTRUCTION_BYTES
        decoded.append(decode(image[start : start + INSTRUCTION_BYTES]))
    return decoded


class Machine:
    """The state of an accelerator of a program's configuration, and its memory; what is not written holds noise."""

    def __init__(self, program: Program, image: np.ndarray, rng: np.random.Generator) -> None:
        def noise(*shape: int) -> np.ndarray:
            return rng.integers(-128, 128, shape).astype(np.int8)

        config = program.config
        self.config = config
        self.memory = {
            Region.IMAGE: np.frombuffer(program.image, np.int8),
            Region.INPUT: image.reshape(-1),
            Region.SCRATCH: noise(program.scratch_bytes),
            Region.OUTPUT: noise(program.output.elements),
        }
        self.act = noise(2 * config.act_half_bytes)
        self.weights = noise(config.weight_words, config.cols, config.rows)
        self.parameters = noise(config.parameter_words, config.requant_lanes, PARAMETER_BYTES)
        self.sums = np.zeros((0, config.cols), np.int64)

    def execute(self, instruction: Instruction) -> None:
        match instruction.opcode:
            case Opcode.LOAD_ACT:
                buffer, memory = self._transfer(instruction)
                self.act[buffer] = self.memory[Region(instruction.region)][memory]
            case Opcode.STORE:
                buffer, memory = self._transfer(instruction)
                self.memory[Region(instruction.region)][memory] = self.act[buffer]
            case Opcode.LOAD_WEIGHT:
                self._load_words(instruction, self.weights)
            case Opcode.LOAD_PARAM:
                self._load_words(instruction, self.parameters)
            case Opcode.MAC:
                self._mac(instruction)
            case Opcode.ADD:
                self._add(instruction)

    def _transfer(self, i: Instruction) -> tuple[np.ndarray, np.ndarray]:
        """Indices, [rows, row_bytes], into the activation buffer and into memory."""
        bus = self.config.bus_bytes
        assert i.dram_offset % bus == i.act_address % bus
        assert i.rows == 1 or i.dram_pitch % bus == i.act_pitch % bus
        rows, columns = np.ogrid[: i.rows, : i.row_bytes]
        return i.act_address + rows * i.act_pitch + columns, i.dram_offset + rows * i.dram_pitch + columns

    def _load_words(self, i: Instruction, buffer: np.ndarray) -> None:
        bus, word_bytes = self.config.bus_bytes, buffer[0].size
        beats = -(-word_bytes // bus)
        assert i.dram_offset % bus == 0
        assert i.beats == i.words * beats
        words = self.memory[Region(i.region)][i.dram_offset : i.dram_offset + i.beats * bus].reshape(i.words, -1)
        buffer[i.word_address : i.word_address + i.words] = words[:, :word_bytes].reshape(-1, *buffer.shape[1:])

    def _mac(self, i: Instruction) -> None:
        y, x, kernel_row, step, lane = np.ogrid[
            : i.out_height, : i.out_width, : i.kernel_rows, : i.segment_steps, : self.config.rows
        ]
        row = i.first_row + y * i.row_stride + kernel_row
        held = self.sums
        for group in range(i.groups):
            offset = i.first_offset + x * i.x_step + step * i.segment_stride + group * i.group_stride + lane
            stored = (row >= 0) & (row < i.in_rows) & (offset >= 0) & (offset < i.in_row_bytes)
            address = (i.first_address + y * i.row_step + kernel_row * i.in_pitch + offset) % 2**ACT_ADDRESS_BITS
            fetched = self.act[np.where(stored, address, 0)]
            operands = np.clip(np.where(stored, fetched, i.pad_value), i.input_low, i.input_high)
            steps = i.kernel_rows * i.segment_steps
            words = np.arange(steps) + group * steps if not i.weights_constant else np.zeros(steps, int)
            products = np.einsum(
                "psl,scl->psc",
                operands.reshape(-1, steps, self.config.rows).astype(np.int64),
                self.weights[i.weight_address + words].astype(np.int64),
            )
            sums = products.max(axis=1) if i.take_maximum else products.sum(axis=1)
            if i.accumulate:
                sums = np.maximum(held, sums) if i.take_maximum else held + sums
            self.sums = sums
            if not i.hold:
                self._write_back(i, group, sums)
        if i.hold or i.accumulate:
            assert i.groups == 1
            assert i.out_width * i.out_height <= self.config.rf_depth

    def _write_back(self, i: Instruction, group: int, sums: np.ndarray) -> None:
        lanes = self.config.requant_lanes
        channel = np.arange(i.last_channels if group == i.groups - 1 else i.group_channels)
        words_per_group = -(-i.group_channels // lanes)
        word = np.zeros_like(channel) if i.parameters_constant else group * words_per_group + channel // lanes
        results = self._requantise(i, sums[:, channel], self.parameters[i.parameter_address + word, channel % lanes])
        y, x = np.divmod(np.arange(len(sums)), i.out_width)
        pixel = i.out_address + y * i.out_pitch + x * i.out_step
        self.act[pixel[:, None] + group * i.group_channels + channel] = results

    def _requantise(self, i: Instruction, sums: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """int8 of int32 sums [..., C] with parameter entries [C, PARAMETER_BYTES]."""
        fields = np.ascontiguousarray(parameters)
        bias = fields[:, 0:4].copy().view("<i4")[:, 0].astype(np.int64)
        multiplier = fields[:, 4:8].copy().view("<u4")[:, 0].astype(np.int64)
        shift = fields[:, 8].astype(np.int64)
        if i.rounding == RoundingMode.MEAN:
            scaled = np.sign(sums) * ((np.abs(sums) + bias) * multiplier >> 31 - shift)
        else:
            rounding = Rounding.SINGLE if i.rounding == RoundingMode.SINGLE else Rounding.DOUBLE
            biased = (sums + bias).astype(np.int32)
            scaled = multiply_by_quantised_multiplier(biased, multiplier, shift, rounding)
        return np.clip(scaled + i.zero_point, i.clamp_low, i.clamp_high).astype(np.int8)

    def _add(self, i: Instruction) -> None:
        def scaled(address: int, zero: int, multiplier: int, shift: int) -> np.ndarray:
            value = self.act[address : address + i.elements].astype(np.int64) - zero
            return multiply_by_quantised_multiplier(value << 20, multiplier, -shift, Rounding.DOUBLE)

        total = scaled(i.left_address, i.left_zero, i.left_multiplier, i.left_shift)
        total = total + scaled(i.right_address, i.right_zero, i.right_multiplier, i.right_shift)
        entry = self.parameters[i.parameter_address, :1]
        self.act[i.out_address : i.out_address + i.elements] = self._requantise(i, total[:, None], entry)[:, 0]


def interpret(program: Program, image: np.ndarray, seed: int = 0) -> np.ndarray:
    """The output, int8 [h, w, c], of one run on ``image`` (int8 [H, W, C]) in an order drawn with ``seed``."""
    rng = np.random.default_rng(seed)
    machine = Machine(program, image, rng)
    *issued, _ = instructions(program.image)
    queues = {engine: [i for i in issued if ENGINES[i.opcode] is engine] for engine in Engine}
    retired = dict.fromkeys(Engine, 0)
    while any(retired[engine] < len(queues[engine]) for engine in Engine):
        ready = [
            engine
            for engine in Engine
            if retired[engine] < len(queues[engine])
            and all(retired[other] >= count for other, count in queues[engine][retired[engine]].waits.items())
        ]
        assert ready, f"deadlock after {retired}"
        engine = ready[int(rng.integers(len(ready)))]
        machine.execute(queues[engine][retired[engine]])
        retired[engine] += 1
    return machine.memory[Region.OUTPUT].reshape(program.output.shape)
