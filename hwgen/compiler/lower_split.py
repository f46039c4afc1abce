"""Lowering of windowed layers whose reduction does not fit on chip: partial sums wait in the array.

A piece of up to ``block_pixels`` of one output row is computed at a time, for one group of channels; the reduction
comes in slices of a kernel row, each with its own operands and weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.compiler.builder import ProgramBuilder, Span
from hwgen.compiler.lower_windowed import LayerData, add_layer_data, layer_fields
from hwgen.compiler.tiles import Box, Home, Place, Rings, Tile, bank_bytes, keep_results, operand_tile, result_tile
from hwgen.compiler.windowed import WindowedLayer, valid_extents
from hwgen.isa import Opcode, largest


@dataclass(frozen=True)
class Slice:
    """Steps [first, end) of kernel row ``kernel_row``."""

    kernel_row: int
    first: int
    end: int


@dataclass(frozen=True)
class Split:
    """A layer that is split, where its input and its words lie, and the program that it goes to."""

    builder: ProgramBuilder
    layer: WindowedLayer
    source: Home
    rings: Rings
    data: LayerData


@dataclass(frozen=True)
class Piece:
    """Columns [left, right) of an output row, in the channels of a group."""

    group: int
    row: int
    left: int
    right: int


def lower_split(builder: ProgramBuilder, layer: WindowedLayer, source: Home, target: Home, rings: Rings) -> None:
    """Emit the layer, whose steps read one kernel row each, piece by piece, group by group, slice by slice.

    Raises ValueError where even one step of one pixel does not fit.
    """
    split = Split(builder, layer, source, rings, add_layer_data(builder, layer))
    width, steps = _piece_size(split, target)
    slices = [
        Slice(kernel_row, first, min(layer.steps.horizontal, first + steps))
        for kernel_row in range(layer.window.kernel[0])
        for first in range(0, layer.steps.horizontal, steps)
    ]
    out_shape = (*layer.out_size, layer.outputs.tensor)
    for group in range(layer.groups):
        channel, channels = layer.chunk_outputs(group, 1)
        parameters: Span | None = None
        for row in range(layer.out_size[0]):
            for left in range(0, layer.out_size[1], width):
                piece = Piece(group, row, left, min(layer.out_size[1], left + width))
                if parameters is None or layer.is_pool:
                    parameters = _load_parameters(split, piece)
                box = Box(row, row + 1, piece.left, piece.right, channel, channels)
                results = result_tile(builder, rings.results, target, box)
                for index, part in enumerate(slices):
                    flags = {"accumulate": int(index > 0), "hold": int(index < len(slices) - 1)}
                    _emit_slice(split, piece, part, results, parameters, flags)
                keep_results(builder, results, target, out_shape)


def _piece_size(split: Split, target: Home) -> tuple[int, int]:
    """Pixels per piece and steps per slice, so that a slice's operands and weights fit."""
    layer, config, rings = split.layer, split.builder.config, split.rings
    width = 1 if layer.is_pool else min(config.block_pixels, layer.out_size[1])
    steps = min(layer.steps.horizontal, largest(Opcode.MAC, "segment_steps"))
    if not layer.is_pool:
        steps = min(steps, config.weight_words)
    if isinstance(target, Place):
        width = max(1, min(width, rings.results.size // min(layer.group_channels, layer.outputs.count)))
    if layer.window.stride[1] * layer.inputs.tensor > largest(Opcode.MAC, "x_step"):
        width = 1
    if isinstance(split.source, Tile):
        return width, steps
    room, word = rings.operands.size, config.act_word_bytes
    while bank_bytes(1, _operand_bytes(layer, width, steps, config.rows), word) > room:
        if steps > 1:
            steps = -(-steps // 2)
        elif width > 1:
            width = -(-width // 2)
        else:
            raise ValueError(f"one array step's operands do not fit {room} bytes")
    return width, steps


def _operand_bytes(layer: WindowedLayer, width: int, steps: int, rows: int) -> int:
    """Bytes that a slice of a piece brings on chip, at most."""
    reach = (width - 1) * layer.window.stride[1]
    if layer.channelwise:
        return (reach + steps) * layer.group_inputs
    return reach * layer.inputs.tensor + steps * rows


def _load_parameters(split: Split, piece: Piece) -> Span:
    layer, data = split.layer, split.data
    if not layer.is_pool:
        words, word = layer.parameter_words(1), piece.group * layer.parameter_words(1)
    elif layer.take_maximum:
        words, word = 1, 0
    else:
        window, (height, width) = layer.window, layer.in_size
        rows = valid_extents(window.kernel[0], window.stride[0], window.padding[0], height, layer.out_size[0])
        cols = valid_extents(window.kernel[1], window.stride[1], window.padding[2], width, layer.out_size[1])
        words, word = 1, layer.divisors.index(rows[piece.row] * cols[piece.left])
    address = split.builder.load_parameters(data.parameters + word * data.parameter_bytes, words)
    return Span(address, address + words)


@dataclass(frozen=True)
class SliceOperands:
    """A slice's operands on chip, and where the first pixel's first operand lies among them."""

    tile: Tile
    first_row: int
    first_offset: int
    x_step: int
    segment_stride: int


def _slice_operands(split: Split, piece: Piece, part: Slice) -> SliceOperands:
    builder, layer = split.builder, split.layer
    window, (height, width) = layer.window, layer.in_size
    row = piece.row * window.stride[0] - window.padding[0] + part.kernel_row
    start = piece.left * window.stride[1] - window.padding[2]
    reach = (piece.right - 1 - piece.left) * window.stride[1]
    channels, rows = layer.inputs.tensor, builder.config.rows
    first, count = layer.chunk_inputs(piece.group, 1)
    if isinstance(split.source, Tile):
        offset = part.first * channels + first if layer.channelwise else part.first * rows
        segment_stride = channels if layer.channelwise else rows
        x_step = window.stride[1] * channels
        return SliceOperands(split.source, row, start * channels + offset, x_step, segment_stride)
    bottom = row + 1 if 0 <= row < height else row
    if layer.channelwise:
        begin, end = start + part.first, start + reach + part.end
        box = Box(row, bottom, max(0, begin), min(width, end), first, count)
        shape = (height, width, channels)
    else:
        # A kernel row's operands are consecutive bytes, whatever pixel they belong to: cut the row by bytes.
        begin = start * channels + part.first * rows
        end = (start + reach) * channels + min(part.end * rows, window.kernel[1] * channels)
        box = Box(row, bottom, max(0, begin), min(width * channels, end), 0, 1)
        shape = (height, width * channels, 1)
    tile = operand_tile(builder, split.rings.operands, split.source, box, shape)
    pixel = tile.pixel_pitch if layer.channelwise else channels
    return SliceOperands(
        tile,
        0,
        (begin - box.left) * tile.pixel_pitch,
        window.stride[1] * pixel,
        tile.pixel_pitch if layer.channelwise else rows,
    )


def _emit_slice(
    split: Split, piece: Piece, part: Slice, results: Tile, parameters: Span, flags: dict[str, int]
) -> None:
    builder, layer, data = split.builder, split.layer, split.data
    operands = _slice_operands(split, piece, part)
    words = 1 if layer.is_pool else part.end - part.first
    word = 0
    if not layer.is_pool:
        word = piece.group * layer.steps.count + part.kernel_row * layer.steps.horizontal + part.first
    address = builder.load_weights(data.weights + word * data.weight_bytes, words)
    tile = operands.tile
    channel, channels = layer.chunk_outputs(piece.group, 1)
    out_bank, out_address = results.byte(piece.row, piece.left, channel)
    row = tile.box.top + operands.first_row
    width = piece.right - piece.left
    ends_row = part.end == layer.steps.horizontal
    fields = {
        **layer_fields(layer),
        **flags,
        "in_address": tile.address,
        "in_pitch": tile.row_pitch,
        "in_rows": tile.rows,
        "in_row_bytes": tile.row_bytes,
        "first_row": operands.first_row,
        "first_offset": operands.first_offset,
        "x_step": operands.x_step if width > 1 else 0,
        "out_width": width,
        "out_height": 1,
        "kernel_steps": 1,
        "step_rows": 1,
        "last_rows": 1,
        "segment_steps": part.end - part.first,
        "columns": 1,
        "segment_stride": operands.segment_stride,
        "groups": 1,
        "weight_address": address,
        "last_lanes": layer.steps.last_lanes if ends_row else layer.steps.lanes,
        "out_address": out_address,
        "out_bank": out_bank,
        "out_pitch": results.row_pitch,
        "out_step": results.pixel_pitch if width > 1 else 0,
        "last_channels": channels,
        "parameter_address": parameters.start,
    }
    builder.compute(
        Opcode.MAC,
        fields,
        operands=[tile.span(row, row + 1)] if tile.box.top <= row < tile.box.bottom else [],
        weights=Span(address, address + words),
        parameters=parameters,
        results=results.span(piece.row, piece.row + 1),
    )
