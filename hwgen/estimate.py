"""Quick estimates of a pair's cost, for ranking many pairs before a few are measured in RTL simulation.

``estimate_cycles`` is a roofline per layer: the slowest of array, bus and requantisation. It knows nothing of tiling or
stalls; the search corrects it with measurements. ``lut_equivalents`` is a proxy for area, not a result of place and
route.
"""

from __future__ import annotations

from math import ceil

from hwgen.config import AcceleratorConfig
from hwgen.graph import Add, AveragePool, Conv, Depthwise, FullyConnected, Layer, LayerGraph, MaxPool
from hwgen.isa import PARAMETER_BYTES

MEMORY_BITS_PER_LUT = 64
"""A 6-input LUT used as distributed memory."""
ACCUMULATOR_BITS = 32
PARAMETER_BITS = 32 + 32 + 8
"""Bias, multiplier and shift of one channel, on chip."""


def _array_steps(layer: Layer, config: AcceleratorConfig) -> int:
    """Cycles in which the array would be busy if it never waited."""
    height, width, channels = layer.output.shape
    pixels = height * width
    if isinstance(layer, Conv):
        _, kernel_h, kernel_w, inputs = layer.weights.shape
        return pixels * kernel_h * ceil(kernel_w * inputs / config.rows) * ceil(channels / config.cols)
    if isinstance(layer, FullyConnected):
        return ceil(layer.weights.shape[1] / config.rows) * ceil(channels / config.cols)
    if isinstance(layer, Depthwise):
        kernel_h, kernel_w, _ = layer.weights.shape
        return pixels * kernel_h * kernel_w * ceil(channels / min(config.rows, config.cols))
    if isinstance(layer, AveragePool | MaxPool):
        kernel_h, kernel_w = layer.window.kernel
        return pixels * kernel_h * kernel_w * ceil(channels / min(config.rows, config.cols))
    if isinstance(layer, Add):
        return ceil(layer.output.elements / config.eltwise_lanes)
    raise TypeError(f"no estimate for layer {layer.name!r} of type {type(layer).__name__}")


def _bus_bytes(graph: LayerGraph, layer: Layer) -> int:
    """Bytes that cross the bus once: weights, channel parameters, operands and output."""
    tensors = sum(operand.output.elements for operand in graph.operands(layer)) + layer.output.elements
    if isinstance(layer, Conv | Depthwise | FullyConnected):
        return tensors + layer.weights.size + layer.bias.size * PARAMETER_BYTES
    return tensors


def estimate_cycles(graph: LayerGraph, config: AcceleratorConfig) -> int:
    """Modelled cycles of one inference: per layer the slowest of array, bus and requantisation."""
    total = 0
    for layer in graph.layers():
        array = _array_steps(layer, config)
        bus = ceil(_bus_bytes(graph, layer) / config.bus_bytes)
        requantisation = ceil(layer.output.elements / config.requant_lanes)
        total += max(array, bus, requantisation)
    return total


def lut_equivalents(config: AcceleratorConfig) -> int:
    """Area proxy: 6-input LUTs if everything were built of them, one per full-adder bit and per 64 bits of memory."""
    multiply_accumulate = 8 * 8 + ACCUMULATOR_BITS
    scaling = 32 * 32
    buffer_bits = 8 * 1024 * (config.act_buffer_kib + config.weight_buffer_kib)
    memory_bits = (
        buffer_bits + config.param_channels * PARAMETER_BITS + config.rf_depth * config.cols * ACCUMULATOR_BITS
    )
    return (
        config.multipliers * multiply_accumulate
        + config.requant_lanes * scaling
        + ceil(memory_bits / MEMORY_BITS_PER_LUT)
    )
