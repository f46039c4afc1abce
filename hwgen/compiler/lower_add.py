"""Lowering of additions: tiles of the two operands, as rows of bytes."""

from __future__ import annotations

from hwgen.compiler.builder import ProgramBuilder, Span, pad_words
from hwgen.compiler.packing import uniform_parameters
from hwgen.compiler.tiles import Box, Home, Place, Rings, Tile, bank_bytes, keep_results, operand_tile, result_tile
from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.graph import Add, Layer
from hwgen.isa import Opcode, RoundingMode, largest

PIECES = 4
"""Tiles into which even a small tensor is cut, so that transfers hide behind the adder."""


def lower_add(
    builder: ProgramBuilder,
    layer: Add,
    operands: tuple[Layer, ...],
    sources: tuple[Home, ...],
    target: Home,
    rings: Rings,
) -> None:
    """Emit the addition tile by tile."""
    config = builder.config
    scale = layer.output_scale
    parameters = uniform_parameters(0, scale.multiplier, scale.shift, config.requant_lanes)
    word = builder.load_parameters(builder.add_data(pad_words(parameters, config.bus_bytes)), 1)

    height, width, channels = layer.output.shape
    shape = (height, width * channels, 1)
    rows, columns = _tile_size(shape, config, sources, target, rings)
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
        tiles = [operand_tile(builder, rings.operands, source, box, shape) for source in sources]
        results = result_tile(builder, rings.results, target, box)
        left, right, out = (tile.span(box.top, box.bottom) for tile in (*tiles, results))
        builder.compute(
            Opcode.ADD,
            {
                **fields,
                "left_address": left.start,
                "right_address": right.start,
                "out_address": out.start,
                "pitch": results.row_pitch,
                "rows": box.bottom - box.top,
                "row_elements": box.right - box.left,
            },
            operands=[left, right],
            weights=None,
            parameters=Span(word, word + 1),
            results=out,
        )
        keep_results(builder, results, target, shape)


def _tile_size(
    shape: tuple[int, int, int], config: AcceleratorConfig, sources: tuple[Home, ...], target: Home, rings: Rings
) -> tuple[int, int]:
    """Rows and columns of a tile, so that two pairs of operands and two results fit where these come from memory.

    All rows of a tensor on chip have one pitch, so beside one the tiles are as wide as the tensor. Raises ValueError
    where such a row does not fit.
    """
    height, width, _ = shape
    in_memory = sum(isinstance(source, Place) for source in sources)
    rooms = [rings.operands.size // (2 * in_memory)] if in_memory else []
    rooms += [rings.results.size // 2] if isinstance(target, Place) else []
    room = min(rooms, default=2 * config.act_bank_bytes)
    columns = width
    if not any(isinstance(home, Tile) for home in (*sources, target)):
        columns = min(width, room // config.act_word_bytes * config.act_word_bytes)
    row_bytes = bank_bytes(1, columns, config.act_word_bytes)
    if row_bytes > room:
        raise ValueError(f"a row of {columns} bytes does not fit {room} bytes")
    banks = min(room // row_bytes, max(1, -(-height // (PIECES * ROW_BANKS))), largest(Opcode.ADD, "rows") // ROW_BANKS)
    return min(height, banks * ROW_BANKS), columns
