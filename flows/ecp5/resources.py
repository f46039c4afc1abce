"""Multipliers and block memories that an accelerator takes, known from its configuration without synthesis."""

from __future__ import annotations

from flows.ecp5.lut_products import multipliers_beside
from flows.ecp5.memory_mapping import block_mapping, distributed_mapping
from hwgen.config import AcceleratorConfig
from hwgen.rtl import act_buffer, compute_engine, sequencer
from hwgen.rtl.ram import RamShape


def multipliers(config: AcceleratorConfig, limit: int) -> int:
    """18x18 multipliers where ``limit`` may be used, at least ``multipliers_beside(config)``."""
    return min(multipliers_beside(config) + config.multipliers, limit)


def block_memories(config: AcceleratorConfig) -> int:
    """Memories of 18 Kbit."""
    buffers = [
        *len(act_buffer.MEMORIES) * [act_buffer.memory_shape(config)],
        compute_engine.weight_shape(config),
        compute_engine.parameter_shape(config),
    ]
    return sum(block_mapping(shape).cells for shape in buffers) + _fetch_buffer_blocks(config)


def _fetch_buffer_blocks(config: AcceleratorConfig) -> int:
    """The one buffer whose memories Yosys chooses by price."""
    # The last beat waits in a register.
    depth = sequencer.fetch_buffer_depth(config.bus_bits) - 1
    shape = RamShape(config.bus_bits, depth, granule=config.bus_bits)
    blocks = block_mapping(shape)
    return blocks.cells if blocks.price < distributed_mapping(shape).price else 0
