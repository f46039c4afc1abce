"""Which memories of the activation buffer the array and the adder fetch from, cycle by cycle."""

from __future__ import annotations

import numpy as np

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.cycles.memories import Fields, in_halves, touched

REDUCTION_LOOPS = "kernel_steps", "segment_steps", "columns"


def mac_halves(fields: Fields, config: AcceleratorConfig) -> int:
    """All memories of the halves that a MAC instruction may fetch from."""
    last = sum(
        (fields[passes] - 1) * fields[stride]
        for passes, stride in (
            ("out_width", "x_step"),
            ("segment_steps", "segment_stride"),
            ("columns", "column_stride"),
            ("groups", "group_stride"),
        )
    )
    first = fields["in_address"] + fields["first_offset"]
    rows = (fields["in_rows"] - 1) // ROW_BANKS * fields["in_pitch"]
    return in_halves(first, first + rows + last + 2 * config.act_word_bytes, config)


def add_halves(fields: Fields, config: AcceleratorConfig) -> int:
    """The same of an ADD."""
    span = (fields["rows"] - 1) // ROW_BANKS * fields["pitch"] + fields["row_elements"] + config.act_word_bytes
    left, right = (
        in_halves(address, address + span, config) for address in (fields["left_address"], fields["right_address"])
    )
    return left | right


def mac_fetches(fields: Fields, entered: np.ndarray, config: AcceleratorConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cycle and memories of each fetch of a MAC instruction; ``entered``: the cycle of each pixel's first.

    The loops are those of ``hwgen.rtl.mac_sequencer``.
    """
    pixels = fields["out_height"] * fields["out_width"]
    y, x = (axis.reshape(pixels, 1) for axis in np.indices((fields["out_height"], fields["out_width"])))
    kernel_step, segment_step, column = _reduction(fields)
    offset = fields["first_offset"] + x * fields["x_step"]
    offset = offset + segment_step * fields["segment_stride"] + column * fields["column_stride"]
    row = fields["first_row"] + y * fields["row_stride"] + kernel_step * fields["step_rows"]
    after, delay, fetched = _schedule(fields, x, config)

    def memories(group_offset: int) -> np.ndarray:
        found = np.zeros(row.shape, np.int64)
        for stored_row in (row + index for index in range(fields["step_rows"])):
            address = fields["in_address"] + stored_row // ROW_BANKS * fields["in_pitch"] + offset + group_offset
            word = address // config.act_word_bytes
            stored = (stored_row >= 0) & (stored_row < fields["in_rows"])
            found |= np.where(stored, touched(stored_row % ROW_BANKS, word, word + 1, config), 0)
        return found[fetched]

    cycles: list[np.ndarray] = []
    found: list[np.ndarray] = []
    for group, group_entered in enumerate(entered.reshape(fields["groups"], pixels)):
        cycles.append(group_entered[after] + delay)
        found.append(memories(group * fields["group_stride"]) if group == 0 or fields["group_stride"] else found[0])
    return np.concatenate(cycles), np.concatenate(found)


def _reduction(fields: Fields) -> tuple[np.ndarray, ...]:
    """int64 [reduction] each: step along the kernel's height, along its width, and column, one after the other."""
    return tuple(axis.ravel() for axis in np.indices([fields[loop] for loop in REDUCTION_LOOPS]))


def _schedule(fields: Fields, x: np.ndarray, config: AcceleratorConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """When a group's fetches are: how many cycles after which pixel's first, and [pixels, reduction] which there are.

    Pixels enter a block one by one, and take the chunks after the first without a pause.
    """
    column = _reduction(fields)[-1]
    chunk_steps, new_columns = fields["chunk_steps"], fields["columns"] - fields["next_column"]
    chunk, entry = np.divmod(np.arange(column.size), chunk_steps)
    steps = np.minimum(chunk_steps, column.size - chunk * chunk_steps)
    number = np.arange(x.size)[:, None]
    run = fields["out_width"] if fields["slide"] else x.size
    place = number % run
    pixel = place % config.block_pixels
    block_pixels = np.minimum(config.block_pixels, run - place + pixel)
    shared = (pixel > 0) & (x > 0) & (column < fields["next_column"])
    if fields["slide"]:
        fetched = ~shared
        skipped = fields["next_column"]
    else:
        fetched = ~(shared & (entry + new_columns < chunk_steps))
        skipped = 0
    # Pixels after the first skip columns that the array has.
    entry = entry - skipped * (pixel > 0)
    block_last = number - pixel + block_pixels - 1
    opening = steps[0] - skipped * (block_pixels > 1)
    chunks_between = (chunk - 1) * (block_pixels * chunk_steps - (block_pixels - 1) * skipped)
    pixels_before = pixel * steps - skipped * np.maximum(pixel - 1, 0)
    later = opening + chunks_between + pixels_before + entry
    first_chunk = np.broadcast_to(chunk == 0, later.shape)
    after = np.where(first_chunk, number, block_last)
    return after[fetched], np.where(first_chunk, entry, later)[fetched], fetched


def add_fetches(fields: Fields, first: int, config: AcceleratorConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cycle and memories of each fetch of an ADD, of its operands in turn, from cycle ``first`` on."""
    row = np.arange(fields["rows"])[:, None, None]
    element = np.arange(0, fields["row_elements"], config.eltwise_lanes)[:, None]
    operands = np.array([fields["left_address"], fields["right_address"]])
    word = (operands + row // ROW_BANKS * fields["pitch"] + element) // config.act_word_bytes
    memories = touched(row % ROW_BANKS, word, word + 1, config).ravel()
    return first + np.arange(memories.size), memories
