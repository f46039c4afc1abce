"""Step: what the sequencers of the compute engine ask of the datapath in one cycle."""

from __future__ import annotations

from amaranth.hdl import signed
from amaranth.lib import data

from hwgen.config import AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS, WORD_ADDRESS_BITS

OFFSET_BITS = 22

ControlLayout = data.StructLayout(
    {
        "mac": 1,  # a step of the array
        "first": 1,  # overwrite the partial sum
        "take_maximum": 1,  # keep the maximum, not the sum
        "block_end": 1,  # the block's partial sums are complete after this step
        "slot": 7,  # register-file entry: bank, then pixel
        "add": 1,  # a step of the addition
        "right": 1,  # its right operand
    }
)
"""Control that travels down the pipeline beside the operands."""

StepLayout = data.StructLayout(
    {
        "control": ControlLayout,
        "address": ACT_ADDRESS_BITS,  # first byte of the operand vector
        "offset": signed(OFFSET_BITS),  # its position in the stored row
        "row_bytes": OFFSET_BITS,  # bytes stored in the row; lanes outside are padding
        "row_valid": 1,  # the row is stored at all
        "pad_value": signed(8),
        "input_low": signed(8),
        "input_high": signed(8),
        "weight_address": WORD_ADDRESS_BITS,
        "macs": 11,  # multiply-accumulates of the network in this step
    }
)
"""One vector of operands and where its products go."""


def slot_bits(config: AcceleratorConfig) -> int:
    """Width of a register-file address: two banks of ``rf_depth`` entries."""
    return 1 + max(1, (config.rf_depth - 1).bit_length())
