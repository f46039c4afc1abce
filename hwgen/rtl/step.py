"""Step: what the sequencers of the compute engine ask of the datapath in one cycle."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import signed
from amaranth.lib import data

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS, WORD_ADDRESS_BITS, Opcode, largest

OFFSET_BITS = 22
"""Of bytes from the beginning of a stored row, which padding has before and behind it."""

ControlLayout = data.StructLayout(
    {
        "fetch": 1,  # operands arrive; otherwise the step's are those of an input entry
        "mac": 1,  # a step of the array
        "first": 1,  # the pixel's partial sum begins with this chunk
        "chunk_first": 1,  # the first step of a chunk on a pixel
        "chunk_last": 1,  # and its last
        "take_maximum": 1,  # keep the maximum, not the sum
        "complete": 1,  # the pixel's partial sum is complete after this step, and to be drained
        "held": 1,  # the last step of an instruction that leaves its partial sums to the next
        "slot": 7,  # the pixel's partial sum
        "new_weights": 1,  # a weight word arrives; otherwise the step's is that of a weight entry
        "weight_entry": 6,  # register-file entry of the weights
        "input_entry": 6,  # register-file entry of the operands
        "slide": 1,  # operands are a column of a sliding window
        "step_rows": 3,  # rows fetched together
        "add": 1,  # a step of the addition
        "right": 1,  # its right operand
    }
)
"""Control that travels down the pipeline beside the operands."""

FetchLayout = data.StructLayout(
    {
        "rows": ROW_BANKS,  # a bit per row to fetch
        "bank": 2,  # bank of the first row
        "address": ACT_ADDRESS_BITS,  # first byte of the vector in the first row, and in those up to the last bank
        "wrapped_address": ACT_ADDRESS_BITS,  # the same in the rows after, whose banks start again from 0
    }
)
"""Vectors at the same place in up to four successive rows."""


def most_macs(config: AcceleratorConfig) -> int:
    """The most multiply-accumulates of the network that a step counts.

    Where pixels share the columns, the last step of a kernel row counts what is left of it for each of them: as many
    lanes as the instruction can say, whether or not the array has them.
    """
    return largest(Opcode.MAC, "last_lanes") * ROW_BANKS * config.cols


def step_layout(config: AcceleratorConfig) -> data.StructLayout:
    """Vectors of operands and where their products go."""
    return data.StructLayout(
        {
            "control": ControlLayout,
            "fetch": FetchLayout,
            "offset": signed(OFFSET_BITS),  # the vector's position in the stored row
            "row_bytes": OFFSET_BITS,  # bytes stored in the row; lanes outside are padding
            "rows_valid": ROW_BANKS,  # which of the rows are stored at all
            "pad_value": signed(8),
            "input_low": signed(8),
            "input_high": signed(8),
            "weight_address": WORD_ADDRESS_BITS,
        }
    )


StepFields = dict[str, Any]
"""A step for the goldens: its fields by name, with those of ``control`` among them; ``fetched`` has the (bank, address)
of each row's vector in place of ``fetch``, and ``macs``, where given, the network's multiply-accumulates in it."""


def step_fields(step: data.Const) -> StepFields:
    """What a value of a ``step_layout`` means."""
    control = {name: step.control[name] for name, _ in ControlLayout}
    operands = {name: step[name] for name, _ in step.shape() if name not in ("control", "fetch")}
    return {**control, **operands, "fetched": fetched_places(step.fetch)}


def fetched_places(fetch: data.Const) -> dict[int, tuple[int, int]]:
    """(bank, address) of the vector in each row that a ``FetchLayout`` value asks for, by row."""
    return {
        row: ((fetch.bank + row) % ROW_BANKS, fetch.wrapped_address if fetch.bank + row >= ROW_BANKS else fetch.address)
        for row in range(ROW_BANKS)
        if fetch.rows >> row & 1
    }


def slot_bits(config: AcceleratorConfig) -> int:
    """Width of a partial sum's address, one of ``config.partial_sums``."""
    return (config.partial_sums - 1).bit_length()


def entry_bits(config: AcceleratorConfig) -> int:
    """Width of the address of one of ``rf_depth`` register-file entries."""
    return max(1, (config.rf_depth - 1).bit_length())
