"""The golden of the MAC sequencer: its loops, which ``mac_sequencer`` describes, in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS
from hwgen.rtl.step import StepFields, entry_bits


def mac_steps(program: Sequence[Mapping[str, int]], config: AcceleratorConfig) -> list[StepFields]:
    """Golden: every step of some MAC instructions."""
    steps: list[StepFields] = []
    for mac in program:
        first_slot = sum(step["complete"] for step in steps) % config.partial_sums
        steps += _instruction_steps(mac, config, first_slot)
    return steps


def _instruction_steps(mac: Mapping[str, int], config: AcceleratorConfig, first_slot: int) -> Iterator[StepFields]:
    """Golden: the steps of one instruction, in order; pixels take one partial sum after the other, in a ring."""
    entries = 2 ** entry_bits(config)
    new_columns = mac["columns"] - mac["next_column"]
    reduction = list(product(*(range(mac[loop]) for loop in ("kernel_steps", "segment_steps", "columns"))))
    chunks = [
        range(first, len(reduction))[: mac["chunk_steps"]] for first in range(0, len(reduction), mac["chunk_steps"])
    ]
    words = len(chunks) if mac["slide"] else len(reduction)
    for group in range(mac["groups"]):
        for block in _blocks(mac, config.block_pixels):
            for chunk_number, chunk in enumerate(chunks):
                for pixel, (y, x) in enumerate(block):
                    for entry, number in enumerate(chunk):
                        kernel_step, segment_step, column = reduction[number]
                        shared = pixel > 0 and x > 0 and column < mac["next_column"]
                        if mac["slide"] and shared:
                            continue
                        row = mac["first_row"] + y * mac["row_stride"] + kernel_step * mac["step_rows"]
                        rows = [row + index for index in range(mac["step_rows"])]
                        word = chunk_number if mac["slide"] else number
                        word += 0 if mac["weights_shared"] else group * words
                        kernel_rows = mac["last_rows"] if kernel_step == mac["kernel_steps"] - 1 else mac["step_rows"]
                        lanes = mac["last_lanes"] if segment_step == mac["segment_steps"] - 1 else mac["lanes"]
                        channels = mac["last_channels"] if group == mac["groups"] - 1 else mac["group_channels"]
                        offset = (
                            mac["first_offset"]
                            + x * mac["x_step"]
                            + segment_step * mac["segment_stride"]
                            + column * mac["column_stride"]
                            + group * mac["group_stride"]
                        )
                        chunk_last = number == chunk[-1]
                        is_mac = chunk_last or not mac["slide"]
                        yield {
                            "fetch": int(not (shared and entry + new_columns < mac["chunk_steps"])),
                            "mac": int(is_mac),
                            "first": int(chunk_number == 0 and not mac["accumulate"]),
                            "chunk_first": int(entry == 0 or mac["slide"]),
                            "chunk_last": int(chunk_last),
                            "take_maximum": mac["take_maximum"],
                            "complete": int(number == len(reduction) - 1 and not mac["hold"]),
                            "held": int(
                                number == len(reduction) - 1
                                and mac["hold"]
                                and (group, y, x) == (mac["groups"] - 1, mac["out_height"] - 1, mac["out_width"] - 1)
                            ),
                            "slot": (first_slot + pixel) % config.partial_sums,
                            "new_weights": int(pixel == 0 and is_mac),
                            "weight_entry": 0 if mac["slide"] else entry,
                            "input_entry": 0 if mac["slide"] else (entry + pixel * new_columns) % entries,
                            "slide": mac["slide"],
                            "step_rows": mac["step_rows"],
                            "add": 0,
                            "right": 0,
                            "fetched": {
                                index: (row % ROW_BANKS, (_row_address(mac, row) + offset) % 2**ACT_ADDRESS_BITS)
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
            first_slot += 0 if mac["hold"] else len(block)


def _blocks(mac: Mapping[str, int], block_pixels: int) -> list[list[tuple[int, int]]]:
    """The pixels, (row, column), of each block; where the window slides, a block ends with the output row."""
    rows = [[(y, x) for x in range(mac["out_width"])] for y in range(mac["out_height"])]
    runs = rows if mac["slide"] else [[pixel for row in rows for pixel in row]]
    return [run[start : start + block_pixels] for run in runs for start in range(0, len(run), block_pixels)]


def _row_address(mac: Mapping[str, int], row: int) -> int:
    """First byte of a stored row, in its bank."""
    return mac["in_address"] + row // ROW_BANKS * mac["in_pitch"]
