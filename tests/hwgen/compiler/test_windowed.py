"""Windowed layers: their steps cover every window once, fit the array and are as few as they can be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hwgen.compiler.windowed import WindowedLayer, windowed_layers
from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.graph import AveragePool, Conv, Depthwise, Layer, Window
from tests.hwgen.single_layers import single_layer

configs = st.builds(
    lambda rows, cols: AcceleratorConfig(rows=rows, cols=cols, requant_lanes=1), st.integers(2, 32), st.integers(2, 32)
)
kernels = st.tuples(st.integers(1, 9), st.integers(1, 9))
channel_counts = st.integers(1, 40)


def windowed(
    layer_type: type[Layer], channels: int, window: Window, config: AcceleratorConfig, step_rows: int = ROW_BANKS
) -> WindowedLayer:
    graph = single_layer(layer_type, (window.kernel[0] + 3, window.kernel[1] + 3, channels), channels, window)
    (layer,) = windowed_layers(graph["layer"], graph["input"].output, config, step_rows)
    return layer


def counted_macs(layer: WindowedLayer, kernel_h: int) -> int:
    """Multiply-accumulates of one window and lane's channel, as the performance counter fields give them."""
    steps, (lanes, last_lanes) = layer.steps, layer.counted_lanes
    rows = [min(steps.rows, kernel_h - top) for top in range(0, steps.vertical * steps.rows, steps.rows)]
    assert all(count > 0 for count in rows)
    return sum(rows) * ((steps.horizontal - 1) * lanes + last_lanes)


@given(config=configs, kernel=kernels, channels=channel_counts, step_rows=st.integers(1, ROW_BANKS))
def test_dense_layers_take_the_fewest_steps(
    config: AcceleratorConfig, kernel: tuple[int, int], channels: int, step_rows: int
) -> None:
    """Against every number of kernel rows read together, each with the lanes dealt evenly over them."""
    layer = windowed(Conv, channels, Window(kernel), config, step_rows)
    steps, kernel_w = layer.steps, layer.window.kernel[1]
    assert steps.rows <= step_rows
    assert steps.lanes * steps.rows <= config.rows
    assert counted_macs(layer, kernel[0]) == kernel[0] * kernel[1] * channels
    fewest = min(
        len(range(0, kernel[0], together)) * len(range(0, kernel_w * channels, config.rows // together))
        for together in range(1, min(step_rows, config.rows) + 1)
    )
    assert steps.count == fewest


@given(
    config=configs,
    kernel=kernels,
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    channels=channel_counts,
    layer_type=st.sampled_from([Depthwise, AveragePool]),
)
def test_sliding_windows_fit_the_array_and_cover_the_kernel(
    config: AcceleratorConfig,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    channels: int,
    layer_type: type[Layer],
) -> None:
    layer = windowed(layer_type, channels, Window(kernel, stride), config)
    steps = layer.steps
    assert layer.slides
    assert 1 <= steps.rows <= ROW_BANKS
    assert steps.rows * steps.columns <= config.rows
    assert (steps.vertical - 1) * steps.rows < kernel[0] <= steps.vertical * steps.rows
    assert (steps.horizontal - 1) * steps.columns < kernel[1] <= steps.horizontal * steps.columns
    macs = kernel[0] * kernel[1] if layer_type is Depthwise else 0
    assert counted_macs(layer, kernel[0]) == macs
