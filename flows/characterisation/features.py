"""What the LUTs and flip-flops of each part of an accelerator grow with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, log2

from flows.characterisation.plan import Point
from flows.implement.ecp5.lut_products import lut_products
from flows.implement.ecp5.memory_mapping import DISTRIBUTED_WIDTH, DISTRIBUTED_WORDS, block_mapping
from hwgen.config import ROW_BANKS, AcceleratorConfig, Dataflow
from hwgen.isa import PARAMETER_BYTES
from hwgen.rtl import act_buffer, compute_engine
from hwgen.rtl.dot_products import adder_levels
from hwgen.rtl.partial_sums import ACC_BITS
from hwgen.rtl.step import entry_bits, slot_bits

ARRAY, ACT_BUFFER, COMPUTE, TRANSFERS = "array", "activation buffer", "compute engine", "transfers"


@dataclass(frozen=True)
class Term:
    """So much of something that cells are taken for, and about how many for each, which rows then correct."""

    quantity: float
    lut: float
    ff: float


def part_of(component: str) -> str:
    """The part that a component of the netlist belongs to.

    Parts are larger than components, because what two components share is named after either.
    """
    match component:
        case "compute_engine.array":
            return ARRAY
        case "act_buffer":
            return ACT_BUFFER
        case _:
            return COMPUTE if component.startswith("compute_engine") else TRANSFERS


def features(point: Point) -> dict[str, tuple[Term, ...]]:
    """Of each part, what its cells are the sum of; all but the quantities are the same of every point."""
    return {part: terms(point) for part, terms in PARTS.items()}


def _array(point: Point) -> tuple[Term, ...]:
    config = point.config
    return (
        Term(len(lut_products(config, point.multipliers)), lut=100, ff=16),
        Term(_adder_tree_bits(config), lut=1, ff=1),
        # Accumulators: what counts, an addition, and a choice behind it.
        Term(ACC_BITS * config.cols, lut=4, ff=2),
        # Operands, which may slide by any of four.
        Term(8 * config.multipliers, lut=4, ff=1),
        Term(_distributed_rams(config), lut=6, ff=0),
        Term(1, lut=100, ff=60),
    )


def _adder_tree_bits(config: AcceleratorConfig) -> int:
    """Bits of all sums on the way from products to dot products."""
    terms, bits = config.rows, 0
    for level in range(adder_levels(config)):
        terms = ceil(terms / 2)
        bits += terms * (17 + level)
    return bits * config.cols


def _distributed_rams(config: AcceleratorConfig) -> int:
    """Of partial sums, which are read at two places, and of register files."""
    operands = {Dataflow.OS: 0, Dataflow.WS: config.multipliers, Dataflow.RS: config.multipliers + config.rows}
    entries = ceil(2 ** entry_bits(config) / DISTRIBUTED_WORDS)
    partial_sums = ceil(2 ** slot_bits(config) / DISTRIBUTED_WORDS)
    bits = 2 * ACC_BITS * config.cols * partial_sums + 8 * operands[config.dataflow] * entries
    return ceil(bits / DISTRIBUTED_WIDTH)


def _act_buffer(point: Point) -> tuple[Term, ...]:
    config = point.config
    shape = act_buffer.memory_shape(config)
    steps = log2(config.act_word_bytes)
    return (
        # Words of eight memories and more on their way, and the choice among them.
        Term(shape.width, lut=45, ff=20),
        # Rotations: of what is written, and of vectors that are read.
        Term(shape.width * steps, lut=4, ff=0),
        Term(8 * ROW_BANKS * config.rows * steps, lut=1.5, ff=0.25),
        Term(len(act_buffer.MEMORIES) * block_mapping(shape).selection, lut=4, ff=0),
        Term(1, lut=300, ff=300),
    )


def _compute(point: Point) -> tuple[Term, ...]:
    config = point.config
    return (
        Term(config.requant_lanes, lut=380, ff=400),
        Term(config.eltwise_lanes, lut=250, ff=200),
        # Lanes of operands, clamped and padded in each of four rows.
        Term(config.rows, lut=250, ff=85),
        # Accumulators to choose from.
        Term(ACC_BITS * config.cols, lut=1, ff=0),
        Term(block_mapping(compute_engine.weight_shape(config)).selection, lut=4, ff=0),
        Term(1, lut=2400, ff=3000),
    )


def _transfers(point: Point) -> tuple[Term, ...]:
    config = point.config
    word = max(8 * config.multipliers, 8 * PARAMETER_BYTES * config.requant_lanes)
    return (
        Term(config.bus_bits, lut=5, ff=2.5),
        # Words gathered from the bus.
        Term(ceil(word / config.bus_bits) * config.bus_bits, lut=0.5, ff=1),
        Term(1, lut=6000, ff=2000),
    )


PARTS: Mapping[str, Callable[[Point], tuple[Term, ...]]] = {
    ARRAY: _array,
    ACT_BUFFER: _act_buffer,
    COMPUTE: _compute,
    TRANSFERS: _transfers,
}
