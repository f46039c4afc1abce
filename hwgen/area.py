"""Area proxy of an accelerator, for comparing many of them; not a result of place and route."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from hwgen.config import KIB, AcceleratorConfig, Dataflow

MEMORY_BITS_PER_LUT = 64
"""A 6-input LUT used as distributed memory."""
ACCUMULATOR_BITS = 32
REGISTER_FILE_BYTES: dict[Dataflow, Callable[[AcceleratorConfig], int]] = {
    Dataflow.OS: lambda config: 0,
    Dataflow.WS: lambda config: config.multipliers,
    Dataflow.RS: lambda config: config.multipliers + config.rows,
}
"""Weights and operands that the array's register files hold per entry."""
PARAMETER_BITS = 32 + 32 + 8
"""Bias, multiplier and shift of one channel, on chip."""


def lut_equivalents(config: AcceleratorConfig) -> int:
    """Area proxy: 6-input LUTs if everything were built of them, one per full-adder bit and per 64 bits of memory.

    It leaves out flip-flops, the operand registers of each multiplier among them, because they lie beside the LUTs; and
    everything but arithmetic on data and memories: multiplexers, shifters, sequencers and transfer engines.

    Lanes and array stand in the proportion that synthesis finds: Yosys 0.70, given no multipliers (``synth_xilinx
    -nodsp``), takes 1.9 6-input LUTs for one counted here in an output-stationary array (of 16 and 32 multipliers), 2.3
    in a requantisation lane and 2.5 in a lane that scales an addition's operands.
    """
    multiply_accumulate = 8 * 8 + ACCUMULATOR_BITS
    requantisation = 32 * 32
    prescaling = 9 * 31
    memory_bits = (
        8 * KIB * (config.act_buffer_kib + config.weight_buffer_kib)
        + config.param_channels * PARAMETER_BITS
        + config.partial_sums * config.cols * ACCUMULATOR_BITS
        + 8 * config.rf_depth * REGISTER_FILE_BYTES[config.dataflow](config)
    )
    return (
        config.multipliers * multiply_accumulate
        + config.requant_lanes * requantisation
        + config.eltwise_lanes * prescaling
        + ceil(memory_bits / MEMORY_BITS_PER_LUT)
    )
