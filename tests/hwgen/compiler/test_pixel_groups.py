"""A convolution on groups of pixels writes the bytes that it writes pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hwgen import reference
from hwgen.compiler import compile_graph
from hwgen.compiler.pixel_groups import group_pixels, pixels_per_group
from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.graph import Conv, LayerGraph, Window
from hwgen.isa import Opcode
from hwgen.rtl.mac_steps import mac_steps
from hwgen.rtl.step import most_macs
from tests.hwgen.interpreter import instructions
from tests.hwgen.random_graphs import random_input
from tests.hwgen.single_layers import single_layer

WIDE = AcceleratorConfig(rows=16, cols=16)
WINDOWS = (
    Window((3, 3), (2, 2), (0, 1, 0, 1)),
    Window((3, 3), (1, 1), (1, 1, 1, 1)),
    Window((1, 5), (1, 3), (0, 0, 2, 0)),
    Window((2, 2), (2, 2)),
)


def conv_graph(channels: int, window: Window, shape: tuple[int, int, int] = (9, 24, 3)) -> tuple[LayerGraph, Conv]:
    graph = single_layer(Conv, shape, channels, window)
    layer = graph.output
    assert isinstance(layer, Conv)
    return graph, layer


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_groups_hold_the_pixels_bytes(window: Window) -> None:
    graph, layer = conv_graph(5, window)
    images = random_input(np.random.default_rng(0), graph, 3)
    expected = reference.run(graph, images)
    width = layer.output.shape[1]
    for pixels in (count for count in range(1, width + 1) if width % count == 0):
        grouped = LayerGraph("grouped", graph.input)
        grouped.add(group_pixels(layer, pixels), graph.input_name)
        np.testing.assert_array_equal(reference.run(grouped, images).reshape(expected.shape), expected)


@settings(max_examples=60)
@given(
    array=st.tuples(st.integers(2, 32), st.integers(2, 32), st.sampled_from(Dataflow)),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 21)),
    stride=st.integers(1, 2),
    pixels=st.sampled_from((4, 12, 32)),
    channels=st.tuples(st.integers(1, 8), st.integers(1, 4)),
)
@example(array=(4, 32, Dataflow.OS), kernel=(4, 9), stride=2, pixels=32, channels=(7, 1))  # the most of all
def test_no_step_counts_more_macs_than_its_configuration_allows(
    array: tuple[int, int, Dataflow], kernel: tuple[int, int], stride: int, pixels: int, channels: tuple[int, int]
) -> None:
    rows, cols, dataflow = array
    config = AcceleratorConfig(rows=rows, cols=cols, dataflow=dataflow, weight_buffer_kib=1024, requant_lanes=1)
    inputs, outputs = channels
    shape = (kernel[0], kernel[1] + (pixels - 1) * stride, inputs)
    graph, _ = conv_graph(outputs, Window(kernel, (1, stride)), shape)
    program = compile_graph(graph, config)
    macs = [mac.fields for mac in instructions(program.image) if mac.opcode is Opcode.MAC]
    counted = [step["macs"] for mac in macs for step in mac_steps([mac], config) if step["mac"]]
    assert max(counted) <= most_macs(config)
    assert sum(counted) == graph.macs(graph.output)


def test_few_channels_share_the_array_s_columns_among_pixels() -> None:
    """27 taps of 8 channels: four half-filled steps for two pixels become three full ones."""
    graph, layer = conv_graph(8, Window((3, 3), (2, 2), (0, 1, 0, 1)))
    assert pixels_per_group(layer, graph.input.output, WIDE) == 2


def test_channels_that_fill_the_columns_stay_one_pixel() -> None:
    graph, layer = conv_graph(16, Window((3, 3), (1, 1), (1, 1, 1, 1)))
    assert pixels_per_group(layer, graph.input.output, WIDE) == 1


def test_pixels_stay_apart_where_kernel_rows_are_stationary() -> None:
    graph, layer = conv_graph(4, Window((3, 3), (1, 1), (1, 1, 1, 1)))
    assert pixels_per_group(layer, graph.input.output, AcceleratorConfig(rows=16, cols=16, dataflow=Dataflow.RS)) == 1
