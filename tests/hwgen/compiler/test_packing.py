"""Packed weights and parameters, decoded as the array and the drain read them, give the layer's own numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from hwgen.arithmetic import rounding_divide
from hwgen.compiler.builder import pad_words
from hwgen.compiler.packing import (
    mean_parameters,
    pack_dense,
    pack_kernel_rows,
    pack_parameters,
    pack_sliding,
    pack_taps,
    uniform_parameters,
)
from hwgen.isa import PARAMETER_BYTES, RoundingMode
from hwgen.rtl.requantise import requantise

sizes = st.integers(1, 9)
arrays = st.integers(2, 12)
seeds = st.integers(0, 2**32 - 1)


def random_int8(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)


@given(data=st.data(), out=st.integers(1, 30), kernel_h=sizes, kernel_w=sizes, channels=sizes, seed=seeds)
def test_dense_words_give_the_dot_product(
    data: st.DataObject, out: int, kernel_h: int, kernel_w: int, channels: int, seed: int
) -> None:
    rows, cols = data.draw(arrays), data.draw(arrays)
    step_rows = data.draw(st.integers(1, min(4, rows)))
    weights = random_int8(seed, out, kernel_h, kernel_w, channels)
    window = random_int8(seed + 1, kernel_h, kernel_w * channels)
    words = pack_dense(weights, step_rows, rows, cols).view(np.int8)
    share = rows // step_rows
    kernel_steps, segment_steps = -(-kernel_h // step_rows), -(-kernel_w * channels // share)
    groups = -(-out // cols)
    assert words.shape == (groups, kernel_steps * segment_steps, cols * rows)
    # Rows below the window, lanes beyond it and array rows that no lane is dealt hold whatever they please.
    tile = random_int8(seed + 2, kernel_steps * step_rows, segment_steps * share)
    tile[:kernel_h, : kernel_w * channels] = window
    sums = np.zeros((groups, cols), int)
    for step, (kernel_step, segment_step) in enumerate(np.ndindex(kernel_steps, segment_steps)):
        operands = random_int8(seed + 3, rows)
        for row in range(step_rows):
            lanes = tile[kernel_step * step_rows + row, segment_step * share : (segment_step + 1) * share]
            operands[row * share : (row + 1) * share] = lanes
        sums += words[:, step].reshape(groups, cols, rows).astype(int) @ operands.astype(int)
    expected = weights.reshape(out, -1).astype(int) @ window.reshape(-1).astype(int)
    np.testing.assert_array_equal(sums.reshape(-1)[:out], expected)
    assert not sums.reshape(-1)[out:].any()


@given(data=st.data(), out=st.integers(1, 30), kernel_h=sizes, kernel_w=sizes, channels=sizes, seed=seeds)
def test_kernel_row_words_give_the_dot_product(
    data: st.DataObject, out: int, kernel_h: int, kernel_w: int, channels: int, seed: int
) -> None:
    rows, cols = data.draw(arrays), data.draw(arrays)
    step_rows = data.draw(st.integers(1, min(4, rows)))
    share = rows // step_rows
    lanes = min(share, channels)
    weights = random_int8(seed, out, kernel_h, kernel_w, channels)
    words = pack_kernel_rows(weights, step_rows, lanes, rows, cols).view(np.int8)
    slices, kernel_steps, groups = -(-channels // lanes), -(-kernel_h // step_rows), -(-out // cols)
    assert words.shape == (groups, kernel_steps * slices * kernel_w, cols * rows)
    # Rows below the window and lanes beyond a pixel's channels hold whatever they please.
    tile = random_int8(seed + 1, kernel_steps * step_rows, kernel_w, slices * lanes + share)
    window = tile[:kernel_h, :, :channels]
    sums = np.zeros((groups, cols), int)
    for step, (kernel_step, part, column) in enumerate(np.ndindex(kernel_steps, slices, kernel_w)):
        operands = random_int8(seed + 2, rows)
        for row in range(step_rows):
            fetched = tile[kernel_step * step_rows + row, column, part * lanes : part * lanes + share]
            operands[row * share : (row + 1) * share] = fetched
        sums += words[:, step].reshape(groups, cols, rows).astype(int) @ operands.astype(int)
    expected = weights.reshape(out, -1).astype(int) @ window.reshape(-1).astype(int)
    np.testing.assert_array_equal(sums.reshape(-1)[:out], expected)
    assert not sums.reshape(-1)[out:].any()


@given(data=st.data(), kernel_h=sizes, kernel_w=sizes, channels=st.integers(1, 20), seed=seeds)
def test_sliding_words_give_each_channel_s_dot_product(
    data: st.DataObject, kernel_h: int, kernel_w: int, channels: int, seed: int
) -> None:
    rows, cols = data.draw(arrays), data.draw(arrays)
    step_rows = data.draw(st.integers(1, min(4, rows)))
    columns = data.draw(st.integers(1, rows // step_rows))
    group_channels = data.draw(st.integers(1, min(cols, channels)))
    weights = random_int8(seed, kernel_h, kernel_w, channels)
    kernel_steps, segment_steps = -(-kernel_h // step_rows), -(-kernel_w // columns)
    groups = -(-channels // group_channels)
    words = pack_sliding(weights, step_rows, columns, group_channels, rows, cols).view(np.int8)
    assert words.shape == (groups, kernel_steps * segment_steps, cols * rows)
    # What surrounds the window slides through the array too.
    tile = random_int8(seed + 1, kernel_steps * step_rows, segment_steps * columns, groups * group_channels)
    window = tile[:kernel_h, :kernel_w, :channels].astype(int)
    expected = (weights.astype(int) * window).sum(axis=(0, 1))
    for group in range(groups):
        first = group * group_channels
        sums = np.zeros(cols, int)
        for step, (kernel_step, segment_step) in enumerate(np.ndindex(kernel_steps, segment_steps)):
            array = random_int8(seed + 2, rows, cols)
            for column in range(columns):
                top, left = kernel_step * step_rows, segment_step * columns + column
                entering = random_int8(seed + 3, step_rows, cols)
                entering[:, :group_channels] = tile[top : top + step_rows, left, first : first + group_channels]
                array = np.concatenate([entering, array])[:rows]
            sums += (words[group, step].reshape(cols, rows).T.astype(int) * array).sum(axis=0)
        own = expected[first : first + group_channels]
        np.testing.assert_array_equal(sums[: len(own)], own)
        assert not sums[group_channels:].any()


@given(data=st.data(), kernel_h=sizes, kernel_w=sizes, channels=st.integers(1, 20), seed=seeds)
def test_tap_words_give_each_channel_s_dot_product(
    data: st.DataObject, kernel_h: int, kernel_w: int, channels: int, seed: int
) -> None:
    rows, cols = data.draw(arrays), data.draw(arrays)
    multiplier = data.draw(st.integers(1, cols))
    lanes = min(rows, cols // multiplier, channels)
    weights = random_int8(seed, kernel_h, kernel_w, channels * multiplier)
    window = random_int8(seed + 1, kernel_h * kernel_w, channels)
    groups = -(-channels // lanes)
    words = pack_taps(weights, multiplier, lanes * multiplier, rows, cols).view(np.int8)
    assert words.shape == (groups, kernel_h * kernel_w, cols * rows)
    # A fetch brings the group's channels and whatever follows them.
    fetched = random_int8(seed + 2, kernel_h * kernel_w, groups * lanes + rows)
    fetched[:, :channels] = window
    taps = weights.reshape(-1, channels * multiplier).astype(int)
    expected = (taps * np.repeat(window.astype(int), multiplier, axis=1)).sum(axis=0)
    for group in range(groups):
        operands = fetched[:, group * lanes : group * lanes + rows].astype(int)
        sums = np.einsum("scr,sr->c", words[group].reshape(-1, cols, rows).astype(int), operands)
        own = expected[group * lanes * multiplier : (group + 1) * lanes * multiplier]
        np.testing.assert_array_equal(sums[: len(own)], own)


@given(out=st.integers(1, 40), group_channels=st.integers(1, 12), lanes=st.integers(1, 12), seed=seeds)
def test_parameters_lie_where_the_drain_looks(out: int, group_channels: int, lanes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bias = rng.integers(-(2**33), 2**33, out)
    multiplier = rng.integers(0, 2**31, out)
    shift = rng.integers(-31, 31, out)
    words = pack_parameters(bias, multiplier, shift, group_channels, lanes)
    for channel in range(out):
        group, within = divmod(channel, group_channels)
        word, lane = divmod(within, lanes)
        entry = words[group, word, lane * PARAMETER_BYTES : (lane + 1) * PARAMETER_BYTES].tobytes()
        assert int.from_bytes(entry[0:4], "little") == bias[channel] % 2**32
        assert int.from_bytes(entry[4:8], "little") == multiplier[channel]
        assert int.from_bytes(entry[8:9], "little", signed=True) == shift[channel]


def test_a_uniform_word_repeats_its_parameters() -> None:
    word = uniform_parameters(-5, 2**30, -3, lanes=3)
    assert word.shape == (1, 3 * PARAMETER_BYTES)
    np.testing.assert_array_equal(word.reshape(3, -1), np.broadcast_to(word[0, :PARAMETER_BYTES], (3, PARAMETER_BYTES)))


@given(words=st.integers(1, 5), size=st.integers(1, 70), bus_bytes=st.sampled_from([4, 8, 16, 32]))
def test_words_are_padded_to_whole_beats(words: int, size: int, bus_bytes: int) -> None:
    content = np.arange(words * size, dtype=np.uint8).reshape(words, size)
    padded = np.frombuffer(pad_words(content, bus_bytes), np.uint8).reshape(words, -1)
    assert padded.shape[1] % bus_bytes == 0
    assert padded.shape[1] - size < bus_bytes
    np.testing.assert_array_equal(padded[:, :size], content)


def mean(total: int, count: int) -> int:
    multiplier, shift = mean_parameters(count)
    assert 0 <= multiplier < 2**31
    assert -31 <= shift <= 30
    return requantise(total, 0, multiplier, shift, RoundingMode.SINGLE)


def test_means_divide_exactly_at_every_count_s_extremes_and_halves() -> None:
    for count in range(1, 5000):
        halves = {count * q // 2 + d for q in (-255, -1, 0, 1, 253) for d in (-1, 0, 1)}
        for total in halves | {-128 * count, 127 * count}:
            if -128 * count <= total <= 127 * count:
                assert mean(total, count) == rounding_divide(np.int64(total), count)


@given(count=st.integers(1, 2**22), fraction=st.floats(0, 1))
@example(count=2**22 - 1, fraction=0.0)
@example(count=2**22 - 1, fraction=1.0)
@example(count=2**21 + 1, fraction=1.0)
def test_means_divide_exactly_for_large_counts(count: int, fraction: float) -> None:
    total = int(-128 * count + fraction * 255 * count)
    assert mean(total, count) == rounding_divide(np.int64(total), count)
