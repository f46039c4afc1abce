"""Lowering of additions: tiles of the two operands, as rows of bytes."""

from __future__ import annotations

from hwgen.compiler.builder import ProgramBuilder, Span, pad_words
from hwgen.compiler.packing import uniform_parameters
from hwgen.compiler.tiles import Box, Place, bank_bytes, load_tile, place_tile, store_tile
from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.graph import Add, Layer
from hwgen.isa import Opcode, RoundingMode, largest

PIECES = 4
"""Tiles into which even a small tensor is cut, so that transfers hide behind the adder."""


def lower_add(
    builder: ProgramBuilder, layer: Add, operands: tuple[Layer, ...], sources: tuple[Place, ...], target: Place
) -> None:
    """Emit the addition tile by tile."""
    config = builder.config
    scale = layer.output_scale
    parameters = uniform_parameters(0, scale.multiplier, scale.shift, config.requant_lanes)
    word = builder.load_parameters(builder.add_data(pad_words(parameters, config.bus_bytes)), 1)

    height, width, channels = layer.output.shape
    shape = (height, width * channels, 1)
    rows, columns = _tile_size(shape, config)
    left_operand, right_operand = operands
    fields = {
        "left_zero": left_operand.output.zero_point,
        "right_zero": right_operand.output.zero_point,
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
    boxes = [
        Box(top, min(height, top + rows), left, min(shape[1], left + columns), 0, 1)
        for top in range(0, height, rows)
        for left in range(0, shape[1], columns)
    ]
    for box in boxes:
        tiles = []
        for source in sources:
            tile = place_tile(builder.operand_ring, box, config.act_word_bytes)
            load_tile(builder, tile, source, shape)
            tiles.append(tile)
        results = place_tile(builder.result_ring, box, config.act_word_bytes)
        builder.compute(
            Opcode.ADD,
            {
                **fields,
                "left_address": tiles[0].address,
                "right_address": tiles[1].address,
                "out_address": results.address,
                "pitch": results.row_pitch,
                "rows": results.rows,
                "row_elements": results.row_bytes,
            },
            operands=[tile.span for tile in tiles],
            weights=None,
            parameters=Span(word, word + 1),
            results=results.span,
        )
        store_tile(builder, results, target, shape)


def _tile_size(shape: tuple[int, int, int], config: AcceleratorConfig) -> tuple[int, int]:
    """Rows and columns of a tile, so that two pairs of operands fit the operand half."""
    height, width, _ = shape
    room = config.act_bank_bytes // 4
    columns = min(width, room // config.act_word_bytes * config.act_word_bytes)
    row_bytes = bank_bytes(1, columns, config.act_word_bytes)
    rows = min(room // row_bytes * ROW_BANKS, max(ROW_BANKS, -(-height // PIECES)), largest(Opcode.ADD, "rows"))
    return min(height, rows), columns
