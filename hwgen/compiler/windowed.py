"""Windowed layers: convolutions, fully connected layers and pools in the one form in which the array runs them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwgen.compiler.packing import (
    mean_parameters,
    pack_dense,
    pack_kernel_rows,
    pack_parameters,
    pack_sliding,
    pack_taps,
    uniform_parameters,
)
from hwgen.compiler.pixel_groups import counted_lanes, group_pixels, pixels_per_group
from hwgen.compiler.steps import Steps, layer_groups, layer_steps
from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.graph import (
    INT8_MAX,
    INT8_MIN,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Layer,
    MaxPool,
    Rounding,
    TensorType,
    Window,
)
from hwgen.isa import RoundingMode

ROUNDING_MODES = {Rounding.DOUBLE: RoundingMode.DOUBLE, Rounding.SINGLE: RoundingMode.SINGLE}
UNCLAMPED = (INT8_MIN, INT8_MAX)


@dataclass(frozen=True)
class Channels:
    """The channels that a windowed layer reads or writes, within its tensor."""

    tensor: int
    """Channels of the whole tensor."""
    first: int
    count: int


@dataclass(frozen=True, eq=False)
class WindowedLayer:
    """A layer as loops over output pixels, groups of channels and a window; what its MAC instructions share."""

    in_size: tuple[int, int]
    out_size: tuple[int, int]
    inputs: Channels
    outputs: Channels
    window: Window
    channelwise: bool
    """Each group reads its own channels (depthwise, pools), rather than all of them."""
    steps: Steps
    group_channels: int
    """Output channels per group."""
    group_inputs: int
    """Input channels per group; all of them where the layer is not channelwise."""
    group_advance: int
    """Input channels from one group's first to the next's."""
    weights: np.ndarray
    """uint8 [groups, steps, word bytes]; pools have one group's, and where they do not slide a single word."""
    parameters: np.ndarray
    """uint8 [groups, words per group, bytes]; pools have one word per divisor, [divisors, 1, bytes]."""
    divisors: tuple[int, ...]
    """Pools: valid positions per window, in the order of ``parameters`` (maximum pools: just 1); otherwise empty."""
    rounding: RoundingMode
    zero_point: int
    clamp: tuple[int, int]
    input_clamp: tuple[int, int]
    pad_value: int
    take_maximum: bool
    pixels: int = 1
    """Neighbouring output pixels that are computed as channels of one; sizes, window and channels are the group's."""

    @property
    def counted_lanes(self) -> tuple[int, int]:
        """Operands per kernel row that carry MACs of each channel, in a step and in a kernel row's last."""
        steps, reach = self.steps, self.window.stride[1] // self.pixels * (self.pixels - 1)
        if self.pixels == 1:
            return steps.lanes, steps.last_lanes
        return counted_lanes((self.window.kernel[1] - reach) * self.inputs.tensor, steps)

    @property
    def is_pool(self) -> bool:
        return bool(self.divisors)

    @property
    def slides(self) -> bool:
        return self.steps.slides

    @property
    def groups(self) -> int:
        return -(-self.outputs.count // self.group_channels)

    def chunk_inputs(self, first_group: int, groups: int) -> tuple[int, int]:
        """First input channel (in the tensor) and number of input channels that a run of groups reads."""
        first = first_group * self.group_advance
        count = (groups - 1) * self.group_advance + self.group_inputs
        return self.inputs.first + first, min(count, self.inputs.count - first)

    def chunk_outputs(self, first_group: int, groups: int) -> tuple[int, int]:
        """First output channel (in the tensor) and number of output channels that a run of groups writes."""
        first = first_group * self.group_channels
        return self.outputs.first + first, min(groups * self.group_channels, self.outputs.count - first)

    def weight_words(self, groups: int) -> int:
        return self.weights.shape[1] if self.is_pool else groups * self.steps.count

    def parameter_words(self, groups: int) -> int:
        return len(self.parameters) if self.is_pool else groups * self.parameters.shape[1]


def windowed_layers(
    layer: Layer, operand: TensorType, config: AcceleratorConfig, step_rows: int = ROW_BANKS
) -> list[WindowedLayer]:
    """``layer`` in windowed form; several over consecutive channels where one input channel feeds several groups.

    A step reads at most ``step_rows`` kernel rows; with 1 it reads one tap or one vector, so that the reduction can be
    cut anywhere.
    """
    match layer:
        case Conv():
            pixels = pixels_per_group(layer, operand, config) if step_rows > 1 else 1
            grouped = group_pixels(layer, pixels)
            part = _dense(grouped, operand, grouped.weights, grouped.window, config, step_rows)
            return [replace(part, pixels=pixels)]
        case FullyConnected():
            flat = TensorType((1, 1, operand.elements), operand.scale, operand.zero_point)
            return [_dense(layer, flat, layer.weights[:, None, None, :], Window((1, 1)), config, step_rows)]
        case Depthwise():
            return _depthwise(layer, operand, config, step_rows)
        case AveragePool() | MaxPool():
            return [_pool(layer, operand, config, step_rows)]
    raise TypeError(f"{type(layer).__name__} is not a windowed layer")


def _folded_bias(bias: np.ndarray, weight_sums: np.ndarray, zero_point: int) -> np.ndarray:
    """Bias with the operand's zero point folded in, so that operands stay 8 bits wide."""
    folded: np.ndarray = bias.astype(np.int64) - zero_point * weight_sums
    return folded


def _dense(
    layer: Conv | FullyConnected,
    operand: TensorType,
    weights: np.ndarray,
    window: Window,
    config: AcceleratorConfig,
    step_rows: int,
) -> WindowedLayer:
    height, width, channels = operand.shape
    out_channels = len(weights)
    steps = layer_steps(layer, operand, config, step_rows)
    groups = layer_groups(layer, operand, config)
    scale = layer.requantisation
    bias = _folded_bias(layer.bias, weights.astype(np.int64).sum(axis=(1, 2, 3)), operand.zero_point)
    return WindowedLayer(
        in_size=(height, width),
        out_size=window.output_size(height, width),
        inputs=Channels(channels, 0, channels),
        outputs=Channels(out_channels, 0, out_channels),
        window=window,
        channelwise=False,
        steps=steps,
        group_channels=groups.channels,
        group_inputs=groups.inputs,
        group_advance=0,
        weights=pack_kernel_rows(weights, steps.rows, steps.lanes, config.rows, config.cols)
        if steps.columns > 1
        else pack_dense(weights, steps.rows, config.rows, config.cols),
        parameters=pack_parameters(bias, scale.multiplier, scale.shift, groups.channels, config.requant_lanes),
        divisors=(),
        rounding=ROUNDING_MODES[scale.rounding],
        zero_point=layer.output.zero_point,
        clamp=layer.clamp,
        input_clamp=layer.input_clamp,
        pad_value=operand.zero_point,
        take_maximum=False,
    )


def _depthwise(layer: Depthwise, operand: TensorType, config: AcceleratorConfig, step_rows: int) -> list[WindowedLayer]:
    height, width, channels = operand.shape
    out_channels = layer.weights.shape[2]
    multiplier = out_channels // channels
    scale = layer.requantisation
    bias = _folded_bias(layer.bias, layer.weights.astype(np.int64).sum(axis=(0, 1)), operand.zero_point)
    out_size = layer.window.output_size(height, width)
    steps = layer_steps(layer, operand, config, step_rows)
    groups = layer_groups(layer, operand, config)

    def over(inputs: Channels, group_advance: int) -> WindowedLayer:
        first, count = inputs.first * multiplier, inputs.count * multiplier
        outputs = slice(first, first + count)
        weights = layer.weights[:, :, outputs]
        return WindowedLayer(
            in_size=(height, width),
            out_size=out_size,
            inputs=inputs,
            outputs=Channels(out_channels, first, count),
            window=layer.window,
            channelwise=True,
            steps=steps,
            group_channels=groups.channels,
            group_inputs=groups.inputs,
            group_advance=group_advance,
            weights=pack_sliding(weights, steps.rows, steps.columns, groups.channels, config.rows, config.cols)
            if steps.slides
            else pack_taps(weights, multiplier, groups.channels, config.rows, config.cols),
            parameters=pack_parameters(
                bias[outputs],
                scale.multiplier[outputs],
                scale.shift[outputs],
                groups.channels,
                config.requant_lanes,
            ),
            divisors=(),
            rounding=ROUNDING_MODES[scale.rounding],
            zero_point=layer.output.zero_point,
            clamp=layer.clamp,
            input_clamp=layer.input_clamp,
            pad_value=operand.zero_point,
            take_maximum=False,
        )

    if multiplier > config.cols:
        return [over(Channels(channels, channel, 1), 0) for channel in range(channels)]
    return [over(Channels(channels, 0, channels), groups.inputs)]


def _pool(
    layer: AveragePool | MaxPool, operand: TensorType, config: AcceleratorConfig, step_rows: int
) -> WindowedLayer:
    height, width, channels = operand.shape
    out_size = layer.window.output_size(height, width)
    steps = layer_steps(layer, operand, config, step_rows)
    group = layer_groups(layer, operand, config).channels
    is_average = isinstance(layer, AveragePool)
    divisors = valid_counts(layer.window, (height, width)) if is_average else (1,)
    words = [uniform_parameters(0, *mean_parameters(divisor), config.requant_lanes) for divisor in divisors]
    if steps.slides:
        ones = np.ones((*layer.window.kernel, group), dtype=np.int8)
        weights = pack_sliding(ones, steps.rows, steps.columns, group, config.rows, config.cols)
    else:
        weights = pack_taps(np.ones((1, 1, group), dtype=np.int8), 1, group, config.rows, config.cols)
    return WindowedLayer(
        in_size=(height, width),
        out_size=out_size,
        inputs=Channels(channels, 0, channels),
        outputs=Channels(channels, 0, channels),
        window=layer.window,
        channelwise=True,
        steps=steps,
        group_channels=group,
        group_inputs=group,
        group_advance=group,
        weights=weights,
        parameters=np.stack(words),
        divisors=divisors,
        rounding=RoundingMode.SINGLE,
        zero_point=0,
        clamp=layer.clamp,
        input_clamp=UNCLAMPED,
        pad_value=0 if is_average else INT8_MIN,
        take_maximum=not is_average,
    )


def valid_extents(kernel: int, stride: int, padding: int, size: int, outputs: int) -> list[int]:
    """For each output position along one axis, how many of its window's positions are not padding."""
    starts = [position * stride - padding for position in range(outputs)]
    return [min(start + kernel, size) - max(start, 0) for start in starts]


def valid_counts(window: Window, in_size: tuple[int, int]) -> tuple[int, ...]:
    """The distinct numbers of valid positions among a pool's windows, ascending.

    Raises ValueError where a window lies wholly in the padding.
    """
    out_height, out_width = window.output_size(*in_size)
    rows = valid_extents(window.kernel[0], window.stride[0], window.padding[0], in_size[0], out_height)
    cols = valid_extents(window.kernel[1], window.stride[1], window.padding[2], in_size[1], out_width)
    if min(*rows, *cols) <= 0:
        raise ValueError("one of the pool's windows lies wholly in its padding, and has no mean")
    return tuple(sorted({row * col for row in rows for col in cols}))
