"""The instruction set: 64-byte instructions, one layout per opcode, shared by the compiler and the RTL.

Every instruction begins with the same header. Its three ``wait`` fields name how many instructions each engine must
have retired before this one may start: that is the only synchronisation between engines. A program is free of deadlock
because every instruction waits only for instructions before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from amaranth.hdl import Shape, signed
from amaranth.lib import data

from hwgen.program import Engine

INSTRUCTION_BYTES = 64
INSTRUCTION_BITS = 8 * INSTRUCTION_BYTES
INSTRUCTIONS_PER_FETCH = 8
"""Instructions are fetched in groups of this many; a program is padded to a multiple of it."""

PARAMETER_BYTES = 9
"""Bytes per channel of requantisation parameters in memory: bias int32, multiplier uint32, shift int8."""

ACT_ADDRESS_BITS = 19
"""Byte addresses and lengths within a row bank, whose largest size is 256 KiB; one bit more, so that they can wrap."""
WORD_ADDRESS_BITS = 18
"""Word addresses of the weight buffer, whose words are 4 bytes at least."""
REGION_BITS = 2


class Opcode(IntEnum):
    """What an instruction does; the engine that executes it follows from it."""

    END = 0
    LOAD_ACT = 1
    LOAD_WEIGHT = 2
    LOAD_PARAM = 3
    MAC = 4
    ADD = 5
    STORE = 6


ENGINE_OF: dict[Opcode, Engine] = {
    Opcode.LOAD_ACT: Engine.LOAD,
    Opcode.LOAD_WEIGHT: Engine.LOAD,
    Opcode.LOAD_PARAM: Engine.LOAD,
    Opcode.MAC: Engine.COMPUTE,
    Opcode.ADD: Engine.COMPUTE,
    Opcode.STORE: Engine.STORE,
}
"""The engine that executes each opcode but END, which is the sequencer's."""


class Region(IntEnum):
    """Memory regions, each with a base register; addresses in instructions are offsets into a region."""

    IMAGE = 0
    SCRATCH = 1
    INPUT = 2
    OUTPUT = 3


class RoundingMode(IntEnum):
    """How the drain scales accumulators to int8."""

    DOUBLE = 0
    SINGLE = 1


HEADER = {"opcode": 4, "wait_load": 24, "wait_compute": 24, "wait_store": 24}


def _instruction(fields: dict[str, object]) -> data.StructLayout:
    members = {**HEADER, **fields}
    layout = data.StructLayout(members)
    unused = INSTRUCTION_BITS - layout.size
    return data.StructLayout({**members, "unused": unused})


HeaderLayout = _instruction({})

TransferLayout = _instruction(
    {
        "region": REGION_BITS,
        "dram_offset": 32,  # bytes from the region's base to the first row
        "dram_pitch": 24,  # bytes from one row to the next, in memory
        "act_address": ACT_ADDRESS_BITS,  # of the first row, in its bank
        "act_pitch": ACT_ADDRESS_BITS,  # bytes from one row to the next in the same bank
        "bank": 2,  # bank of the first row
        "banked": 1,  # rows go to successive banks; otherwise all to one
        "row_bytes": ACT_ADDRESS_BITS,
        "rows": 16,
    }
)
"""LOAD_ACT and STORE: rows of bytes between memory and the activation buffer, at any alignment."""

WordLoadLayout = _instruction(
    {
        "region": REGION_BITS,
        "dram_offset": 32,  # a multiple of the bus width; each word starts on a bus boundary
        "word_address": WORD_ADDRESS_BITS,
        "words": WORD_ADDRESS_BITS,
        "beats": 22,  # bus beats of all words
    }
)
"""LOAD_WEIGHT and LOAD_PARAM: whole words of the weight or parameter buffer."""

_REQUANTISATION = {
    "parameter_address": 12,  # parameter buffer word of the first channels
    "rounding": 1,  # RoundingMode
    "zero_point": signed(8),  # added after scaling
    "clamp_low": signed(8),
    "clamp_high": signed(8),  # not below clamp_low
}

MacLayout = _instruction(
    {
        "in_address": ACT_ADDRESS_BITS,  # tile's first byte, in bank 0
        "in_pitch": ACT_ADDRESS_BITS,  # bytes from one stored row to the next in the same bank, whole words
        "in_rows": 12,  # rows stored; others are padding
        "in_row_bytes": 18,  # bytes stored per row; others are padding
        "first_row": signed(13),  # row of the first window's first tap, relative to the stored rows
        "first_offset": signed(19),  # its byte offset in the row
        "row_stride": 12,  # rows from one output row's window to the next
        "x_step": 16,  # bytes from one output pixel's window to the next
        "out_width": 12,
        "out_height": 12,
        "kernel_steps": 8,  # steps along the kernel's height
        "step_rows": 3,  # kernel rows per step, read together (1 to 4)
        "last_rows": 3,  # kernel rows in the last of them (performance counter only)
        "segment_steps": 14,  # steps along the kernel's width
        "segment_stride": 18,  # bytes between the operands of successive steps
        "lanes": 6,  # operands per kernel row in a step that carry MACs (performance counter only)
        "last_lanes": 6,  # the same, in the last step of a kernel row
        "slide": 1,  # depthwise, average pool: columns of the window slide through the array and make one array step
        "columns": 6,  # columns of the window, in each step along its width; without slide, an array step each
        "next_column": 6,  # the first of them that the pixel before did not have
        "column_stride": 14,  # bytes from one column to the next
        "chunk_steps": 7,  # columns that a pixel takes before the block's next pixel does: those of one step in a slide
        "groups": 12,  # groups of output channels
        "group_stride": 14,  # bytes between the operands of successive groups
        "weight_address": WORD_ADDRESS_BITS,
        "weights_constant": 1,  # all steps use the same weight word (pools, tap by tap)
        "weights_shared": 1,  # all groups use the same weight words (pools)
        "pad_value": signed(8),  # operand outside the stored rows and columns
        "input_low": signed(8),  # operand clamp
        "input_high": signed(8),
        "take_maximum": 1,  # keep the maximum, not the sum, of dot products that are int8
        "accumulate": 1,  # continue the partial sums of the previous instruction
        "hold": 1,  # leave the partial sums in the array
        "out_address": ACT_ADDRESS_BITS,  # of the first output row, in its bank
        "out_bank": 2,  # bank of the first output row
        "out_pitch": ACT_ADDRESS_BITS,  # bytes from one output row to the next in the same bank
        "out_step": 14,  # bytes from one output pixel to the next
        "group_channels": 6,  # output channels per group
        "last_channels": 6,  # output channels in the last group
        **_REQUANTISATION,
        "parameters_constant": 1,  # all channels use the first parameter word (pools)
    }
)
"""MAC: convolution, depthwise convolution, fully connected and pools over a tile, for some groups of channels."""

AddLayout = _instruction(
    {
        "left_address": ACT_ADDRESS_BITS,  # tiles' first bytes, in bank 0
        "right_address": ACT_ADDRESS_BITS,
        "out_address": ACT_ADDRESS_BITS,
        "pitch": ACT_ADDRESS_BITS,  # bytes from one row to the next in the same bank, in all three tiles
        "rows": 12,
        "row_elements": ACT_ADDRESS_BITS,
        "left_zero": signed(8),  # zero points
        "right_zero": signed(8),
        "left_multiplier": 31,
        "right_multiplier": 31,
        "left_shift": 5,  # right shifts
        "right_shift": 5,
        **_REQUANTISATION,
    }
)
"""ADD: elementwise sum of two tiles."""

LAYOUTS: dict[Opcode, data.StructLayout] = {
    Opcode.END: HeaderLayout,
    Opcode.LOAD_ACT: TransferLayout,
    Opcode.LOAD_WEIGHT: WordLoadLayout,
    Opcode.LOAD_PARAM: WordLoadLayout,
    Opcode.MAC: MacLayout,
    Opcode.ADD: AddLayout,
    Opcode.STORE: TransferLayout,
}


@dataclass(frozen=True)
class _Field:
    """A field's place in its instruction, and the values that it holds."""

    offset: int
    mask: int
    accepted: range


@cache
def _fields(opcode: Opcode) -> dict[str, _Field]:
    """An opcode's fields by name; to ask its layout for each takes most of a compilation."""
    fields = {}
    for name, member in LAYOUTS[opcode]:
        shape = Shape.cast(member.shape)
        lowest = -(1 << shape.width - 1) if shape.signed else 0
        fields[name] = _Field(member.offset, (1 << shape.width) - 1, range(lowest, lowest + (1 << shape.width)))
    return fields


def largest(opcode: Opcode, field: str) -> int:
    """The largest value that an instruction's field holds."""
    return _fields(opcode)[field].accepted[-1]


def encode(opcode: Opcode, **fields: int) -> bytes:
    """One instruction as ``INSTRUCTION_BYTES`` bytes, little-endian; fields not given are zero.

    Raises ValueError where a value does not fit its field.
    """
    word = int(opcode)
    for name, value in fields.items():
        field = _fields(opcode)[name]
        if value not in field.accepted:
            low, high = field.accepted[0], field.accepted[-1]
            raise ValueError(f"{opcode.name.lower()} field {name}: {value} does not fit; accepted: {low} to {high}")
        word |= (value & field.mask) << field.offset
    return word.to_bytes(INSTRUCTION_BYTES, "little")
