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
    Conv,
    FullyConnected,
    Input,
    LayerGraph,
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


def test_a_convolution_that_fills_the_array_is_bound_by_it() -> None:
    assert estimate_cycles(single_conv(16, 16, 16, 3), CONFIG) == 16 * 16 * 9 * 2 * 2


def test_a_first_layer_shares_its_rows_between_the_kernel_s_columns() -> None:
    assert estimate_cycles(single_conv(16, 1, 8, 3), CONFIG) == 16 * 16 * 3


def test_a_fully_connected_layer_is_bound_by_the_bus() -> None:
    graph = LayerGraph("dense", Input("input", tensor(1, 1, 256)))
    weights, bias = np.zeros((128, 256), np.int8), np.zeros(128, np.int32)
    scaling = requantisation(128, Rounding.SINGLE)
    graph.add(FullyConnected("dense", tensor(1, 1, 128), weights, bias, scaling), "input")
    assert estimate_cycles(graph, CONFIG) == (256 * 128 + 256 + 128 + 128 * 12) // 8


def test_an_addition_moves_two_operands_and_a_sum() -> None:
    graph = LayerGraph("add", Input("input", tensor(8, 8, 16)))
    graph.add(Add("add", tensor(8, 8, 16), (Scale(1 << 30, 0), Scale(1 << 30, 0)), Scale(1 << 30, 0)), "input", "input")
    assert estimate_cycles(graph, CONFIG) == 3 * 8 * 8 * 16 // 8


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
        ({"cols": 9}, 8 * 96 + 16 * 32 // 64),
        ({"requant_lanes": 9, "cols": 9}, 8 * 96 + 16 * 32 // 64 + 1024),
        ({"act_buffer_kib": 128}, 64 * 1024 * 8 // 64),
        ({"weight_buffer_kib": 64}, 32 * 1024 * 8 // 64),
    ],
)
def test_the_area_proxy_counts_adder_bits_and_memory(change: dict[str, int], added: int) -> None:
    assert lut_equivalents(replace(CONFIG, **change)) - lut_equivalents(CONFIG) == added
