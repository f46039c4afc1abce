"""An interpreter of programs, written from the instruction set's documentation: what an accelerator must compute.

Instructions are atomic. Each engine takes its own in order; which engine goes next is drawn at random among those whose
next instruction has nothing left to wait for, so a wait that is missing shows as a wrong result.

It counts what it moves and scales, by the names of the accelerator's counters; operands that a row-stationary array
keeps between pixels count as read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Shape

from hwgen.arithmetic import multiply_by_quantised_multiplier
from hwgen.config import ROW_BANKS, Dataflow
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
        self.noise = noise
        self.memory = {
            Region.IMAGE: np.frombuffer(program.image, np.int8),
            Region.INPUT: image.reshape(-1),
            Region.SCRATCH: noise(program.scratch_bytes),
            Region.OUTPUT: noise(program.output.elements),
        }
        self.act = noise(ROW_BANKS, 2 * config.act_bank_bytes)
        self.weights = noise(config.weight_words, config.cols, config.rows)
        self.parameters = noise(config.parameter_words, config.requant_lanes, PARAMETER_BYTES)
        self.sums = np.zeros((0, config.cols), np.int64)
        self.counts: Counter[str] = Counter()

    def execute(self, instruction: Instruction) -> None:
        match instruction.opcode:
            case Opcode.LOAD_ACT:
                buffer, memory = self._transfer(instruction)
                self.act[buffer] = self.memory[Region(instruction.region)][memory]
                self.counts["dram_read_beats"] += self._beats(memory)
            case Opcode.STORE:
                buffer, memory = self._transfer(instruction)
                self.memory[Region(instruction.region)][memory] = self.act[buffer]
                self.counts["dram_write_beats"] += self._beats(memory)
            case Opcode.LOAD_WEIGHT:
                self._load_words(instruction, self.weights)
            case Opcode.LOAD_PARAM:
                self._load_words(instruction, self.parameters)
            case Opcode.MAC:
                self._mac(instruction)
            case Opcode.ADD:
                self._add(instruction)

    def _transfer(self, i: Instruction) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
        """Indices, [rows, row_bytes], into the activation buffer's banks and into memory."""
        row, column = np.ogrid[: i.rows, : i.row_bytes]
        if i.banked:
            place = banked(i.bank + row, i.act_address + column, i.act_pitch)
        else:
            place = np.full_like(row, i.bank), i.act_address + row * i.act_pitch + column
        return place, i.dram_offset + row * i.dram_pitch + column

    def _beats(self, memory: np.ndarray) -> int:
        """Of the bus, that hold the bytes at ``memory``, [rows, row_bytes]; rows share none."""
        beats = memory // self.config.bus_bytes
        return int((beats[:, -1] - beats[:, 0] + 1).sum())

    def _load_words(self, i: Instruction, buffer: np.ndarray) -> None:
        bus, word_bytes = self.config.bus_bytes, buffer[0].size
        beats = -(-word_bytes // bus)
        assert i.dram_offset % bus == 0
        assert i.beats == i.words * beats
        words = self.memory[Region(i.region)][i.dram_offset : i.dram_offset + i.beats * bus].reshape(i.words, -1)
        buffer[i.word_address : i.word_address + i.words] = words[:, :word_bytes].reshape(-1, *buffer.shape[1:])
        self.counts["dram_read_beats"] += words.size // bus

    def _mac(self, i: Instruction) -> None:
        assert i.in_pitch % self.config.act_word_bytes == 0
        register_file = 1 if self.config.dataflow is Dataflow.OS else self.config.rf_depth
        assert i.chunk_steps == i.columns if i.slide else 1 <= i.chunk_steps <= register_file
        held = self.sums
        steps = i.kernel_steps * i.segment_steps * (1 if i.slide else i.columns)
        # A block of pixels shares the words of the weight buffer; where windows slide, none goes beyond a row.
        runs, pixels = (i.out_height, i.out_width) if i.slide else (1, i.out_height * i.out_width)
        blocks = runs * -(-pixels // self.config.block_pixels)
        for group in range(i.groups):
            operands = self._sliding_operands(i, group) if i.slide else self._operands(i, group)
            words = np.zeros(steps, int) if i.weights_constant else np.arange(steps)
            if not (i.weights_constant or i.weights_shared):
                words += group * steps
            weights = self.weights[i.weight_address + words].astype(np.int64)
            self.counts["weight_reads"] += blocks * len(words)
            products = np.einsum("psrc,scr->psc", operands, weights)
            sums = products.max(axis=1) if i.take_maximum else products.sum(axis=1)
            if i.accumulate:
                sums = np.maximum(held, sums) if i.take_maximum else held + sums
            self.sums = sums
            if not i.hold:
                self._write_back(i, group, sums)
        if i.hold or i.accumulate:
            assert i.groups == 1
            assert i.out_width * i.out_height <= self.config.block_pixels

    def _operands(self, i: Instruction, group: int) -> np.ndarray:
        """Every array row's operands, int64 [pixels, steps, rows, cols]: lanes dealt evenly over the kernel rows.

        A column of the window may be an operand that the pixel before it in the row had too.
        """
        rows, cols = self.config.rows, self.config.cols
        share, columns = rows // i.step_rows, i.columns
        y, x, kernel_step, segment_step, column, kernel_row, lane = np.ogrid[
            : i.out_height, : i.out_width, : i.kernel_steps, : i.segment_steps, :columns, : i.step_rows, :share
        ]
        row = i.first_row + y * i.row_stride + kernel_step * i.step_rows + kernel_row
        offset = i.first_offset + x * i.x_step + segment_step * i.segment_stride + group * i.group_stride + lane
        vectors = self._fetched(i, row, offset + column * i.column_stride)
        stored = int(self._stored(i, row).sum())
        self.counts["act_reads"] += (
            stored * i.segment_steps * (i.columns * i.out_width - i.next_column * (i.out_width - 1))
        )
        for pixel in range(1, i.out_width):
            vectors[:, pixel, :, :, : i.next_column] = vectors[:, pixel - 1, :, :, columns - i.next_column :]
        pixels, steps = i.out_height * i.out_width, i.kernel_steps * i.segment_steps * i.columns
        dealt = vectors.reshape(pixels, steps, i.step_rows * lane.size)
        operands = self.noise(pixels, steps, rows).astype(np.int64)
        operands[..., : dealt.shape[-1]] = dealt
        return np.broadcast_to(operands[..., None], (pixels, steps, rows, cols))

    def _sliding_operands(self, i: Instruction, group: int) -> np.ndarray:
        """The same where the window slides: a lane per array column, the newest column of the window first.

        A block ends with the output row, and its first pixel reads its whole window; the others shift what the pixel
        before had and read the columns that it lacked.
        """
        rows, cols = self.config.rows, self.config.cols
        y, kernel_step, segment_step, column, kernel_row, lane = np.ogrid[
            : i.out_height, : i.kernel_steps, : i.segment_steps, : i.columns, : i.step_rows, : min(rows, cols)
        ]
        row = i.first_row + y * i.row_stride + kernel_step * i.step_rows + kernel_row
        steps, taps = i.kernel_steps * i.segment_steps, i.columns * i.step_rows
        operands = self.noise(i.out_height, i.out_width, steps, rows, cols).astype(np.int64)
        window = np.empty(0)
        for x in range(i.out_width):
            before = window
            offset = i.first_offset + x * i.x_step + segment_step * i.segment_stride + group * i.group_stride
            window = self._fetched(i, row, offset + column * i.column_stride + lane)
            kept = i.next_column if x % self.config.block_pixels else 0
            self.counts["act_reads"] += int(self._stored(i, row).sum()) * i.segment_steps * (i.columns - kept)
            if kept:
                window[:, :, :, : i.next_column] = before[:, :, :, i.columns - i.next_column :]
            newest_first = window[:, :, :, ::-1].reshape(i.out_height, steps, taps, lane.size)
            operands[:, x, :, :taps, : lane.size] = newest_first
        return operands.reshape(-1, steps, rows, cols)

    def _fetched(self, i: Instruction, row: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """The tile's operands, int64, at ``offset`` of its row ``row``, clamped and padded."""
        stored = self._stored(i, row) & (offset >= 0) & (offset < i.in_row_bytes)
        bank, address = banked(row, i.in_address + offset, i.in_pitch)
        fetched = self.act[np.where(stored, bank, 0), np.where(stored, address % 2**ACT_ADDRESS_BITS, 0)]
        operands = np.where(stored, np.clip(fetched, i.input_low, i.input_high), i.pad_value)
        return operands.astype(np.int64)

    def _stored(self, i: Instruction, row: np.ndarray) -> np.ndarray:
        """Which rows of the tile are in the buffer: the others are padding, and are not read."""
        return (row >= 0) & (row < i.in_rows)

    def _write_back(self, i: Instruction, group: int, sums: np.ndarray) -> None:
        lanes = self.config.requant_lanes
        channel = np.arange(i.last_channels if group == i.groups - 1 else i.group_channels)
        words_per_group = -(-i.group_channels // lanes)
        word = np.zeros_like(channel) if i.parameters_constant else group * words_per_group + channel // lanes
        results = self._requantise(i, sums[:, channel], self.parameters[i.parameter_address + word, channel % lanes])
        y, x = np.divmod(np.arange(len(sums)), i.out_width)
        pixel = i.out_address + x[:, None] * i.out_step
        place = banked(i.out_bank + y[:, None], pixel + group * i.group_channels + channel, i.out_pitch)
        self.act[place] = results
        self._count_results(len(sums), len(channel), lanes)

    def _count_results(self, vectors: int, elements: int, lanes: int) -> None:
        """``vectors`` of ``elements`` each were scaled and written, ``lanes`` at a time."""
        self.counts["requantised"] += vectors * elements
        self.counts["act_writes"] += vectors * -(-elements // lanes)

    def _requantise(self, i: Instruction, sums: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """int8 of int32 sums [..., C] with parameter entries [C, PARAMETER_BYTES]."""
        fields = np.ascontiguousarray(parameters)
        bias = fields[:, 0:4].copy().view("<i4")[:, 0].astype(np.int64)
        multiplier = fields[:, 4:8].copy().view("<u4")[:, 0].astype(np.int64)
        shift = fields[:, 8].astype(np.int64)
        rounding = Rounding.SINGLE if i.rounding == RoundingMode.SINGLE else Rounding.DOUBLE
        biased = (sums + bias).astype(np.int32)
        scaled = multiply_by_quantised_multiplier(biased, multiplier, shift, rounding)
        return np.clip(scaled + i.zero_point, i.clamp_low, i.clamp_high).astype(np.int8)

    def _add(self, i: Instruction) -> None:
        row, element = np.ogrid[: i.rows, : i.row_elements]

        def scaled(address: int, zero: int, multiplier: int, shift: int) -> np.ndarray:
            value = self.act[banked(row, address + element, i.pitch)].astype(np.int64) - zero
            return multiply_by_quantised_multiplier(value << 20, multiplier, -shift, Rounding.DOUBLE)

        total = scaled(i.left_address, i.left_zero, i.left_multiplier, i.left_shift)
        total = total + scaled(i.right_address, i.right_zero, i.right_multiplier, i.right_shift)
        entry = self.parameters[i.parameter_address, :1]
        results = self._requantise(i, total[..., None], entry)[..., 0]
        self.act[banked(row, i.out_address + element, i.pitch)] = results
        self._count_results(i.rows, i.row_elements, self.config.eltwise_lanes)
        self.counts["act_reads"] += 2 * i.rows * -(-i.row_elements // self.config.eltwise_lanes)


def banked(row: np.ndarray, address: np.ndarray, pitch: int) -> tuple[np.ndarray, np.ndarray]:
    """Bank and address of bytes of rows that lie in successive banks; ``address`` is where row 0 has them in bank 0."""
    return row % ROW_BANKS, address + row // ROW_BANKS * pitch


def interpret(program: Program, image: np.ndarray, seed: int = 0) -> np.ndarray:
    """The output, int8 [h, w, c], of one run on ``image`` (int8 [H, W, C]) in an order drawn with ``seed``."""
    return run_machine(program, image, seed).memory[Region.OUTPUT].reshape(program.output.shape)


def run_machine(program: Program, image: np.ndarray, seed: int = 0) -> Machine:
    """The machine at the end of such a run."""
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
    return machine
