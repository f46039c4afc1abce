"""A convolution on groups of pixels writes the bytes that it writes pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen import reference
from hwgen.compiler.pixel_groups import group_pixels, pixels_per_group
from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.graph import Conv, LayerGraph, Window
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
