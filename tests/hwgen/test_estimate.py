"""Estimates rank pairs; worked by hand on single layers here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.config import AcceleratorConfig
from hwgen.estimate import estimate_cycles, lut_equivalents
from hwgen.graph import (
    Add,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Input,
    LayerGraph,
    MaxPool,
    Requantisation,
    Rounding,
    Scale,
    TensorType,
    Window,
)

CONFIG = AcceleratorConfig(rows=8, cols=8, bus_bits=64, requant_lanes=8)


def requantisation(channels: int, rounding: Rounding) -> Requantisation:
    return Requantisation(np.full(channels, 1 << 30, np.int32), np.zeros(channels, np.int32), rounding)


def tensor(*shape: int) -> TensorType:
    return TensorType((shape[0], shape[1], shape[2]), 1.0, 0)


def single_conv(size: int, inputs: int, outputs: int, kernel: int) -> LayerGraph:
    graph = LayerGraph("conv", Input("input", tensor(size, size, inputs)))
    pad = kernel // 2
    window = Window((kernel, kernel), padding=(pad, pad, pad, pad))
    weights, bias = np.zeros((outputs, kernel, kernel, inputs), np.int8), np.zeros(outputs, np.int32)
    scaling = requantisation(outputs, Rounding.DOUBLE)
    graph.add(Conv("conv", tensor(size, size, outputs), window, weights, bias, scaling), "input")
    return graph


def single_depthwise(size: int, channels: int, multiplier: int) -> LayerGraph:
    """A 3x3 window with stride 1 and padding."""
    outputs = channels * multiplier
    graph = LayerGraph("depthwise", Input("input", tensor(size, size, channels)))
    weights, bias = np.zeros((3, 3, outputs), np.int8), np.zeros(outputs, np.int32)
    scaling = requantisation(outputs, Rounding.DOUBLE)
    window = Window((3, 3), padding=(1, 1, 1, 1))
    graph.add(Depthwise("depthwise", tensor(size, size, outputs), window, weights, bias, scaling), "input")
    return graph


def test_a_convolution_that_fills_the_array_is_bound_by_it() -> None:
    assert estimate_cycles(single_conv(16, 16, 16, 3), CONFIG) == 16 * 16 * 9 * 2 * 2


def test_a_first_layer_reads_two_kernel_rows_together() -> None:
    """Four of the eight array rows for each, three of which a kernel row of one channel fills: two steps, not three."""
    assert estimate_cycles(single_conv(16, 1, 8, 3), CONFIG) == 16 * 16 * 2


def test_a_depthwise_convolution_slides() -> None:
    """Two columns of three kernel rows fit eight array rows: two steps, each of two columns and 15 new ones."""
    assert estimate_cycles(single_depthwise(16, 16, 1), CONFIG) == 2 * 16 * 2 * (2 + 15)


def test_a_window_starts_anew_with_each_block() -> None:
    config = replace(CONFIG, rf_depth=4)
    assert estimate_cycles(single_depthwise(16, 16, 1), config) == 2 * 16 * 2 * 4 * (2 + 3)


def test_a_depthwise_convolution_with_multiplier_goes_tap_by_tap() -> None:
    """Four input channels feed the eight columns."""
    assert estimate_cycles(single_depthwise(16, 16, 2), CONFIG) == 4 * 16 * 16 * 9


def test_an_average_pool_slides_and_a_maximum_pool_goes_tap_by_tap() -> None:
    """A depthwise convolution's steps, and the 9 taps of each window."""
    cycles = []
    for pool in (AveragePool, MaxPool):
        graph = LayerGraph("pool", Input("input", tensor(8, 8, 8)))
        graph.add(pool("pool", tensor(6, 6, 8), Window((3, 3))), "input")
        cycles.append(estimate_cycles(graph, replace(CONFIG, bus_bits=128)))
    assert cycles == [6 * 2 * (2 + 5), 6 * 6 * 9]


def test_requantisation_takes_a_group_of_channels_in_whole_words() -> None:
    config = replace(CONFIG, requant_lanes=5)
    assert estimate_cycles(single_conv(16, 1, 8, 1), config) == 16 * 16 * 2


def test_a_fully_connected_layer_is_bound_by_the_bus() -> None:
    graph = LayerGraph("dense", Input("input", tensor(1, 1, 256)))
    weights, bias = np.zeros((128, 256), np.int8), np.zeros(128, np.int32)
    scaling = requantisation(128, Rounding.SINGLE)
    graph.add(FullyConnected("dense", tensor(1, 1, 128), weights, bias, scaling), "input")
    assert estimate_cycles(graph, CONFIG) == (256 * 128 + 256 + 128 + 128 * 9) // 8


def addition(bus_bits: int) -> int:
    graph = LayerGraph("add", Input("input", tensor(8, 8, 18)))
    graph.add(Add("add", tensor(8, 8, 18), (Scale(1 << 30, 0), Scale(1 << 30, 0)), Scale(1 << 30, 0)), "input", "input")
    return estimate_cycles(graph, replace(CONFIG, bus_bits=bus_bits, requant_lanes=7))


def test_an_addition_moves_two_operands_and_a_sum() -> None:
    assert addition(bus_bits=64) == 3 * 8 * 8 * 18 // 8


def test_an_addition_takes_its_operands_in_turn_and_row_by_row() -> None:
    """Rows of 144 elements are 21 vectors of seven lanes."""
    assert addition(bus_bits=128) == 2 * 8 * 21


@given(
    size=st.integers(3, 16),
    inputs=st.integers(1, 40),
    outputs=st.integers(1, 40),
    rows=st.integers(2, 16),
    cols=st.integers(2, 16),
)
def test_no_estimate_beats_the_array_s_peak(size: int, inputs: int, outputs: int, rows: int, cols: int) -> None:
    config = AcceleratorConfig(rows=rows, cols=cols, requant_lanes=1)
    graph = single_conv(size, inputs, outputs, 3)
    assert estimate_cycles(graph, config) * config.multipliers >= graph.total_macs


@pytest.mark.parametrize(
    ("change", "added"),
    [
        ({"rows": 9}, 9 * 96),
        ({"cols": 10}, 8 * 96 + 2 * 16 * 32 // 64),
        ({"rf_depth": 17}, 2 * 9 * 32 // 64),
        ({"requant_lanes": 7}, -1024 - 9 * 31),
        ({"requant_lanes": 9}, 1024),
        ({"act_buffer_kib": 128}, 64 * 1024 * 8 // 64),
        ({"weight_buffer_kib": 64}, 32 * 1024 * 8 // 64),
    ],
)
def test_the_area_proxy_counts_adder_bits_and_memory(change: dict[str, int], added: int) -> None:
    """A ninth requantisation lane brings no prescale lane: the array has eight rows to fetch operands for."""
    config = AcceleratorConfig(rows=8, cols=9, requant_lanes=8)
    assert lut_equivalents(replace(config, **change)) - lut_equivalents(config) == added
