"""Multipliers and block memories that an accelerator takes, known from its configuration without synthesis."""

from __future__ import annotations

from flows.implement.ecp5.lut_products import multipliers_beside
from flows.implement.ecp5.memory_mapping import block_mapping
from hwgen.config import AcceleratorConfig
from hwgen.rtl import act_buffer, compute_engine, counters


def multipliers(config: AcceleratorConfig, limit: int) -> int:
    """18x18 multipliers where ``limit`` may be used, at least ``multipliers_beside(config)``."""
    return min(multipliers_beside(config) + config.multipliers, limit)


def block_memories(config: AcceleratorConfig) -> int:
    """Memories of 18 Kbit."""
    memories = [
        *len(act_buffer.MEMORIES) * [act_buffer.memory_shape(config)],
        compute_engine.weight_shape(config),
        compute_engine.parameter_shape(config),
        counters.TOTALS,
    ]
    return sum(block_mapping(shape).cells for shape in memories)
