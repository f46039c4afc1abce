"""Instructions of a program's image, decoded as far as their timing and what they count depend on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Shape

from hwgen.isa import ENGINE_OF, INSTRUCTION_BYTES, LAYOUTS, Opcode
from hwgen.program import Engine

TRANSFER = ("dram_offset", "dram_pitch", "act_address", "act_pitch", "bank", "banked", "row_bytes", "rows")
FIELDS: dict[Opcode, tuple[str, ...]] = {
    Opcode.LOAD_ACT: TRANSFER,
    Opcode.LOAD_WEIGHT: ("dram_offset", "beats"),
    Opcode.LOAD_PARAM: ("dram_offset", "beats"),
    Opcode.MAC: (
        "in_address",
        "in_pitch",
        "in_rows",
        "first_row",
        "first_offset",
        "row_stride",
        "x_step",
        "out_width",
        "out_height",
        "kernel_steps",
        "step_rows",
        "last_rows",
        "segment_steps",
        "segment_stride",
        "lanes",
        "last_lanes",
        "slide",
        "columns",
        "next_column",
        "column_stride",
        "chunk_steps",
        "groups",
        "group_stride",
        "accumulate",
        "hold",
        "group_channels",
        "last_channels",
        "out_address",
        "out_bank",
        "out_pitch",
        "out_step",
    ),
    Opcode.ADD: ("left_address", "right_address", "out_address", "pitch", "rows", "row_elements"),
    Opcode.STORE: TRANSFER,
    Opcode.END: (),
}


@dataclass(frozen=True)
class Instruction:
    """An instruction's opcode, what it waits for, and the fields that its timing and its actions depend on."""

    opcode: Opcode
    waits: tuple[int, ...]
    """By engine: instructions that it must have retired."""
    fields: dict[str, int]

    @property
    def engine(self) -> Engine:
        return ENGINE_OF[self.opcode]


def decode(image: bytes) -> list[Instruction]:
    """The image's instructions up to its first END, which is included."""
    words = np.frombuffer(image[: len(image) // INSTRUCTION_BYTES * INSTRUCTION_BYTES], np.uint8)
    words = words.reshape(-1, INSTRUCTION_BYTES)
    opcodes = words[:, 0] & 15
    count = int(np.argmax(opcodes == Opcode.END)) + 1
    bits = np.unpackbits(words[:count], axis=1, bitorder="little")
    instructions: list[Instruction | None] = [None] * count
    for opcode, names in FIELDS.items():
        indices = np.flatnonzero(opcodes[:count] == opcode)
        waits = [_field(bits[indices], opcode, f"wait_{engine.name.lower()}") for engine in Engine]
        values = [_field(bits[indices], opcode, name) for name in names]
        for place, index in enumerate(indices.tolist()):
            fields = {name: column[place] for name, column in zip(names, values, strict=True)}
            instructions[index] = Instruction(opcode, tuple(column[place] for column in waits), fields)
    return [instruction for instruction in instructions if instruction is not None]


def _field(bits: np.ndarray, opcode: Opcode, name: str) -> list[int]:
    """A field of every instruction in ``bits``, uint8 [instructions, bits]."""
    member = LAYOUTS[opcode][name]
    powers = 1 << np.arange(member.width)
    if Shape.cast(member.shape).signed:
        powers[-1] *= -1
    values: list[int] = (bits[:, member.offset : member.offset + member.width] @ powers).tolist()
    return values
