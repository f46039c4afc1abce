"""Pixel groups: neighbouring output pixels computed as channels of one, where a convolution's own leave columns idle.

A group of p pixels has p times the channels, a kernel wide enough for all its windows with zeros where a pixel's own
does not reach, and p times the stride. Its bytes lie as the pixels' do.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.compiler.steps import Steps, layer_groups, layer_steps
from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.graph import Conv, Requantisation, TensorType
from hwgen.isa import Opcode, largest


def pixels_per_group(layer: Conv, operand: TensorType, config: AcceleratorConfig) -> int:
    """The number of pixels for which the array takes the fewest steps; 1 where a group saves none.

    Where kernel rows are stationary their operands are shared from pixel to pixel, which a group would undo.
    """
    width, channels = layer.output.shape[1:]
    most = 1 if config.dataflow is Dataflow.RS else max(1, config.cols // channels)

    steps_per_pixel = {}
    for pixels in (count for count in range(1, most + 1) if width % count == 0):
        grouped = group_pixels(layer, pixels)
        steps, groups = layer_steps(grouped, operand, config), layer_groups(grouped, operand, config)
        # The instruction says how many lanes a pixel's operands take, in a field of few bits.
        counted = counted_lanes(layer.window.kernel[1] * operand.shape[2], steps)[1]
        if pixels == 1 or counted <= largest(Opcode.MAC, "last_lanes"):
            steps_per_pixel[pixels] = steps.count * groups.count / pixels
    return min(steps_per_pixel, key=steps_per_pixel.__getitem__)


def counted_lanes(operands: int, steps: Steps) -> tuple[int, int]:
    """Lanes in a step and in a kernel row's last that carry a pixel's ``operands`` of a kernel row, all in all."""
    lanes = operands // steps.horizontal
    return lanes, operands - (steps.horizontal - 1) * lanes


def group_pixels(layer: Conv, pixels: int) -> Conv:
    """``layer`` with ``pixels`` neighbours of an output row, which they divide, as the channels of one."""
    height, width, channels = layer.output.shape
    (kernel_h, kernel_w), stride = layer.window.kernel, layer.window.stride
    in_channels = layer.weights.shape[3]
    weights = np.zeros((pixels, channels, kernel_h, kernel_w + (pixels - 1) * stride[1], in_channels), np.int8)
    for pixel in range(pixels):
        weights[pixel, :, :, pixel * stride[1] : pixel * stride[1] + kernel_w] = layer.weights
    scale = layer.requantisation
    window = replace(layer.window, kernel=(kernel_h, weights.shape[3]), stride=(stride[0], pixels * stride[1]))
    return replace(
        layer,
        output=replace(layer.output, shape=(height, width // pixels, pixels * channels)),
        window=window,
        weights=weights.reshape(pixels * channels, *weights.shape[2:]),
        bias=np.tile(layer.bias, pixels),
        requantisation=Requantisation(np.tile(scale.multiplier, pixels), np.tile(scale.shift, pixels), scale.rounding),
    )
