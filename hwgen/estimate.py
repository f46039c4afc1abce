"""Quick estimates of a pair's cost, for ranking many pairs before a few are measured in RTL simulation.

``estimate_cycles`` is a roofline per layer: the slowest of array (or adder), requantisation and bus, with the steps and
the groups of channels that the compiler would take. It knows nothing of tiling: it assumes that every reduction fits on
chip, that every tensor and weight crosses the bus once, and that no engine waits for another; the search corrects it
with measurements. ``lut_equivalents`` is a proxy for area, not a result of place and route.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from hwgen.compiler.steps import Groups, Steps, group_cycles, layer_groups, layer_steps
from hwgen.config import KIB, AcceleratorConfig, Dataflow
from hwgen.graph import Add, Conv, Depthwise, FullyConnected, LayerGraph, TensorType
from hwgen.isa import PARAMETER_BYTES

ADD_OPERANDS = 2
"""They pass the adder one after the other."""
MEMORY_BITS_PER_LUT = 64
"""A 6-input LUT used as distributed memory."""
ACCUMULATOR_BITS = 32
PARTIAL_SUM_BANKS = 2
"""The array adds to one while the other is drained."""
REGISTER_FILE_BYTES: dict[Dataflow, Callable[[AcceleratorConfig], int]] = {
    Dataflow.OS: lambda config: 0,
    Dataflow.WS: lambda config: config.multipliers,
    Dataflow.RS: lambda config: config.multipliers + config.rows,
}
"""Weights and operands that the array's register files hold per entry."""
PARAMETER_BITS = 32 + 32 + 8
"""Bias, multiplier and shift of one channel, on chip."""


def estimate_cycles(graph: LayerGraph, config: AcceleratorConfig) -> int:
    """Modelled cycles of one inference: per layer the slowest of array, requantisation and bus."""
    total = 0
    for layer in graph.layers():
        operand, output = graph.operands(layer)[0].output, layer.output
        if isinstance(layer, Add):
            total += _add_cycles(output, config)
            continue
        steps, groups = layer_steps(layer, operand, config), layer_groups(layer, operand, config)
        moved = operand.elements + output.elements
        if isinstance(layer, Conv | Depthwise | FullyConnected):
            moved += groups.count * steps.count * config.multipliers + output.shape[2] * PARAMETER_BYTES
        total += max(_array_cycles(steps, groups, output, config), ceil(moved / config.bus_bytes))
    return total


def _array_cycles(steps: Steps, groups: Groups, output: TensorType, config: AcceleratorConfig) -> int:
    """Cycles of the slower of the array and the lanes that requantise its sums."""
    height, width, _ = output.shape
    array = group_cycles(steps, (height, width), width, config.block_pixels)
    requantisation = height * width * ceil(groups.channels / config.requant_lanes)
    return groups.count * max(array, requantisation)


def _add_cycles(output: TensorType, config: AcceleratorConfig) -> int:
    """Cycles of the slower of the adder, which takes its operands row by row, and the bus."""
    height, width, channels = output.shape
    adder = ADD_OPERANDS * height * ceil(width * channels / config.eltwise_lanes)
    return max(adder, ceil((ADD_OPERANDS + 1) * output.elements / config.bus_bytes))


def lut_equivalents(config: AcceleratorConfig) -> int:
    """Area proxy: 6-input LUTs if everything were built of them, one per full-adder bit and per 64 bits of memory.

    It leaves out flip-flops, the operand registers of each multiplier among them, because they lie beside the LUTs; and
    everything but arithmetic on data and memories: multiplexers, shifters, sequencers and transfer engines.
    """
    multiply_accumulate = 8 * 8 + ACCUMULATOR_BITS
    requantisation = 32 * 32
    prescaling = 9 * 31
    memory_bits = (
        8 * KIB * (config.act_buffer_kib + config.weight_buffer_kib)
        + config.param_channels * PARAMETER_BITS
        + PARTIAL_SUM_BANKS * config.block_pixels * config.cols * ACCUMULATOR_BITS
        + 8 * config.rf_depth * REGISTER_FILE_BYTES[config.dataflow](config)
    )
    return (
        config.multipliers * multiply_accumulate
        + config.requant_lanes * requantisation
        + config.eltwise_lanes * prescaling
        + ceil(memory_bits / MEMORY_BITS_PER_LUT)
    )
