"""Packing: weights and requantisation parameters in the order and shape in which the array and the drain read them."""

from __future__ import annotations

import numpy as np

from hwgen.isa import PARAMETER_BYTES


def pack_dense(weights: np.ndarray, step_rows: int, rows: int, cols: int) -> np.ndarray:
    """int8 [out, kernel_h, kernel_w, in] to uint8 [groups, kernel steps * segment steps, cols * rows].

    A step reads ``step_rows`` kernel rows and deals the array's rows evenly over them. The operands of a kernel row lie
    side by side in memory, so a step takes its share of them regardless of where a pixel ends; lanes beyond the row's
    end, and kernel rows beyond the kernel, have zero weights.
    """
    out, kernel_h, kernel_w, channels = weights.shape
    share = rows // step_rows
    steps, kernel_steps = -(-kernel_w * channels // share), -(-kernel_h // step_rows)
    groups = -(-out // cols)
    padded = np.zeros((groups * cols, kernel_steps * step_rows, steps * share), dtype=np.int8)
    padded[:out, :kernel_h, : kernel_w * channels] = weights.reshape(out, kernel_h, kernel_w * channels)
    dealt = padded.reshape(groups, cols, kernel_steps, step_rows, steps, share).transpose(0, 2, 4, 1, 3, 5)
    words = np.zeros((groups, kernel_steps * steps, cols, rows), dtype=np.int8)
    words[..., : step_rows * share] = dealt.reshape(groups, kernel_steps * steps, cols, step_rows * share)
    return words.reshape(groups, kernel_steps * steps, cols * rows).view(np.uint8)


def pack_kernel_rows(weights: np.ndarray, step_rows: int, lanes: int, rows: int, cols: int) -> np.ndarray:
    """int8 [out, kernel_h, kernel_w, in] to uint8 [groups, kernel steps * slices * kernel_w, cols * rows].

    A step takes a column of ``step_rows`` kernel rows, ``lanes`` channels of each: the kernel row's columns in turn,
    slice of the channels by slice.
    """
    out, kernel_h, kernel_w, channels = weights.shape
    share = rows // step_rows
    slices, kernel_steps, groups = -(-channels // lanes), -(-kernel_h // step_rows), -(-out // cols)
    padded = np.zeros((groups * cols, kernel_steps * step_rows, kernel_w, slices * lanes), dtype=np.int8)
    padded[:out, :kernel_h, :, :channels] = weights
    dealt = padded.reshape(groups, cols, kernel_steps, step_rows, kernel_w, slices, lanes)
    words = np.zeros((groups, kernel_steps, slices, kernel_w, cols, rows), dtype=np.int8)
    shares = words[..., : step_rows * share].reshape(*words.shape[:-1], step_rows, share)
    shares[..., :lanes] = dealt.transpose(0, 2, 5, 4, 1, 3, 6)
    words[..., : step_rows * share] = shares.reshape(*words.shape[:-1], step_rows * share)
    return words.reshape(groups, kernel_steps * slices * kernel_w, cols * rows).view(np.uint8)


def pack_sliding(
    weights: np.ndarray, step_rows: int, columns: int, group_channels: int, rows: int, cols: int
) -> np.ndarray:
    """int8 [kernel_h, kernel_w, channels] to uint8 [groups, kernel steps * segment steps, cols * rows].

    A step holds ``step_rows`` rows and ``columns`` columns of the window, the newest column in the first array rows.
    """
    kernel_h, kernel_w, channels = weights.shape
    kernel_steps, segment_steps = -(-kernel_h // step_rows), -(-kernel_w // columns)
    groups = -(-channels // group_channels)
    padded = np.zeros((kernel_steps * step_rows, segment_steps * columns, groups * group_channels), dtype=np.int8)
    padded[:kernel_h, :kernel_w, :channels] = weights
    taps = padded.reshape(kernel_steps, step_rows, segment_steps, columns, groups, group_channels)
    newest_first = taps[:, :, :, ::-1].transpose(4, 0, 2, 5, 3, 1)
    words = np.zeros((groups, kernel_steps * segment_steps, cols, rows), dtype=np.int8)
    words[:, :, :group_channels, : columns * step_rows] = newest_first.reshape(
        groups, kernel_steps * segment_steps, group_channels, columns * step_rows
    )
    return words.reshape(groups, kernel_steps * segment_steps, cols * rows).view(np.uint8)


def pack_taps(weights: np.ndarray, multiplier: int, group_channels: int, rows: int, cols: int) -> np.ndarray:
    """int8 [kernel_h, kernel_w, out] to uint8 [groups, kernel_h * kernel_w, cols * rows].

    A step takes one tap of its group's input channels, one per lane, and yields ``group_channels`` columns,
    ``multiplier`` per lane; every other weight of the array is zero.
    """
    kernel_h, kernel_w, out = weights.shape
    taps = weights.reshape(kernel_h * kernel_w, out)
    groups = -(-out // group_channels)
    words = np.zeros((groups, kernel_h * kernel_w, cols, rows), dtype=np.int8)
    for channel in range(out):
        group, column = divmod(channel, group_channels)
        words[group, :, column, column // multiplier] = taps[:, channel]
    return words.reshape(groups, kernel_h * kernel_w, cols * rows).view(np.uint8)


def pack_parameters(
    bias: np.ndarray, multiplier: np.ndarray, shift: np.ndarray, group_channels: int, lanes: int
) -> np.ndarray:
    """int64 [out] each (bias taken modulo 2**32) to uint8 [groups, words per group, lanes * PARAMETER_BYTES]."""
    out = len(bias)
    groups = -(-out // group_channels)
    words = -(-group_channels // lanes)
    entries = np.zeros((groups * group_channels, PARAMETER_BYTES), dtype=np.uint8)
    entries[:out, 0:4] = (bias % 2**32).astype("<u4")[:, None].view(np.uint8).reshape(out, 4)
    entries[:out, 4:8] = multiplier.astype("<u4")[:, None].view(np.uint8).reshape(out, 4)
    entries[:out, 8] = shift.astype(np.int8).view(np.uint8)
    padded = np.zeros((groups, words * lanes, PARAMETER_BYTES), dtype=np.uint8)
    padded[:, :group_channels] = entries.reshape(groups, group_channels, PARAMETER_BYTES)
    return padded.reshape(groups, words, lanes * PARAMETER_BYTES)


def uniform_parameters(bias: int, multiplier: int, shift: int, lanes: int) -> np.ndarray:
    """One word with the same parameters in every lane: uint8 [1, lanes * PARAMETER_BYTES]."""
    biases, multipliers, shifts = (np.full(lanes, value, np.int64) for value in (bias, multiplier, shift))
    word: np.ndarray = pack_parameters(biases, multipliers, shifts, lanes, lanes)[0]
    return word


def mean_parameters(count: int) -> tuple[int, int]:
    """(multiplier, shift) by which the drain's single rounding divides a sum by ``count``, halves away from zero.

    ``sum * ceil(2**t / count) / 2**t`` is the quotient or further from zero, and never so far as to pass the next half
    for sums of ``count`` int8 values while count <= 2**22 (division by invariant multiplication, Granlund and
    Montgomery 1994).
    """
    bits = (count - 1).bit_length()
    return -(-(1 << (30 + bits)) // count), 1 - bits
