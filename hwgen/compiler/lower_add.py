"""Lowering of additions: stretches of the two flattened operands."""

from __future__ import annotations

from hwgen.compiler.builder import ProgramBuilder, Span, pad_words
from hwgen.compiler.packing import uniform_parameters
from hwgen.compiler.tiles import Box, Place, load_tile, place_tile, store_tile
from hwgen.graph import Add, Layer
from hwgen.isa import Opcode, RoundingMode

STRETCHES = 4
"""Pieces into which even a small tensor is cut, so that transfers hide behind the adder."""


def lower_add(
    builder: ProgramBuilder, layer: Add, operands: tuple[Layer, ...], sources: tuple[Place, ...], target: Place
) -> None:
    """Emit the addition stretch by stretch."""
    config = builder.config
    scale = layer.output_scale
    parameters = uniform_parameters(0, scale.multiplier, scale.shift, config.requant_lanes)
    word = builder.load_parameters(builder.add_data(pad_words(parameters, config.bus_bytes)), 1)

    elements = layer.output.elements
    shape = (1, elements, 1)
    room = (config.act_half_bytes // 2 - 2 * config.bus_bytes) // 2
    stretch = min(room, max(-(-elements // STRETCHES), 16 * config.bus_bytes))
    left, right = operands
    fields = {
        "left_zero": left.output.zero_point,
        "right_zero": right.output.zero_point,
        "left_multiplier": layer.operand_scales[0].multiplier,
        "right_multiplier": layer.operand_scales[1].multiplier,
        "left_shift": -layer.operand_scales[0].shift,
        "right_shift": -layer.operand_scales[1].shift,
        "parameter_address": word,
        "rounding": int(RoundingMode.DOUBLE),
        "zero_point": layer.output.zero_point,
        "clamp_low": layer.clamp[0],
        "clamp_high": layer.clamp[1],
    }
    for start in range(0, elements, stretch):
        box = Box(0, 1, start, min(elements, start + stretch), 0, 1)
        tiles = []
        for source in sources:
            tile = place_tile(builder.operand_ring, box, source, shape, config.bus_bytes)
            load_tile(builder, tile, source, shape)
            tiles.append(tile)
        results = place_tile(builder.result_ring, box, target, shape, config.bus_bytes)
        builder.compute(
            Opcode.ADD,
            {
                **fields,
                "left_address": tiles[0].address,
                "right_address": tiles[1].address,
                "out_address": results.address,
                "elements": box.right - box.left,
            },
            operands=[tile.span for tile in tiles],
            weights=None,
            parameters=Span(word, word + 1),
            results=results.span,
        )
        store_tile(builder, results, target, shape)
