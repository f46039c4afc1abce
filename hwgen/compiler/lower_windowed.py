"""Lowering of windowed layers: loads, MAC instructions and stores of every tile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from hwgen.compiler.builder import ProgramBuilder, Span, pad_words
from hwgen.compiler.tiles import Box, Home, Rings, Tile, keep_results, operand_tile, result_tile
from hwgen.compiler.tiling import Tiling
from hwgen.compiler.windowed import WindowedLayer, valid_extents
from hwgen.isa import Opcode


@dataclass(frozen=True)
class LayerData:
    """Where a layer's words lie in the image's data, and the bytes that each word takes there."""

    weights: int
    weight_bytes: int
    parameters: int
    parameter_bytes: int


def add_layer_data(builder: ProgramBuilder, layer: WindowedLayer) -> LayerData:
    """Put the layer's weights and parameters into the image."""
    bus = builder.config.bus_bytes
    weights = layer.weights.reshape(-1, layer.weights.shape[-1])
    parameters = layer.parameters.reshape(-1, layer.parameters.shape[-1])
    return LayerData(
        builder.add_data(pad_words(weights, bus)),
        -(-weights.shape[1] // bus) * bus,
        builder.add_data(pad_words(parameters, bus)),
        -(-parameters.shape[1] // bus) * bus,
    )


@dataclass(frozen=True)
class Rectangle:
    """Output rows [top, bottom) and columns [left, right)."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class Chunk:
    """Groups [first, first + groups) of a layer, with their words on chip."""

    first: int
    groups: int
    weights: Span
    parameters: Span


def lower_windowed(
    builder: ProgramBuilder, layer: WindowedLayer, tiling: Tiling, source: Home, target: Home, rings: Rings
) -> None:
    """Emit the layer tile by tile; words and operands are loaded when they differ from those on chip."""
    data = add_layer_data(builder, layer)
    loaded_chunk: Chunk | None = None
    loaded_operands: tuple[Box, Tile] | None = None
    for rectangle, (first, groups) in _loops(layer, tiling):
        if loaded_chunk is None or loaded_chunk.first != first:
            loaded_chunk = _load_chunk(builder, layer, data, first, groups)
        box = operand_box(layer, rectangle, *layer.chunk_inputs(first, groups))
        if loaded_operands is None or loaded_operands[0] != box:
            loaded_operands = box, operand_tile(builder, rings.operands, source, box, _in_shape(layer))
        _, operands = loaded_operands
        result_box = _result_box(layer, rectangle, first, groups)
        results = result_tile(builder, rings.results, target, result_box)
        for part, parameters in _uniform_parts(layer, rectangle, loaded_chunk.parameters):
            fields = mac_fields(layer, part, operands, results, loaded_chunk, parameters)
            read = operand_box(layer, part, box.first, box.channels)
            builder.compute(
                Opcode.MAC,
                fields,
                operands=[] if read.empty else [operands.span(read.top, read.bottom)],
                weights=loaded_chunk.weights,
                parameters=parameters,
                results=results.span(part.top, part.bottom),
            )
        keep_results(builder, results, target, _out_shape(layer))


def _loops(layer: WindowedLayer, tiling: Tiling) -> Iterator[tuple[Rectangle, tuple[int, int]]]:
    """Every (rectangle, (first group, groups)), in the tiling's order."""
    height, width = layer.out_size
    rectangles = [
        Rectangle(top, min(height, top + tiling.tile_height), left, min(width, left + tiling.tile_width))
        for top in range(0, height, tiling.tile_height)
        for left in range(0, width, tiling.tile_width)
    ]
    chunks = [
        (first, min(tiling.chunk_groups, layer.groups - first)) for first in range(0, layer.groups, tiling.chunk_groups)
    ]
    if tiling.chunks_outside:
        yield from ((rectangle, chunk) for chunk in chunks for rectangle in rectangles)
    else:
        yield from ((rectangle, chunk) for rectangle in rectangles for chunk in chunks)


def _load_chunk(builder: ProgramBuilder, layer: WindowedLayer, data: LayerData, first: int, groups: int) -> Chunk:
    weight_words, parameter_words = layer.weight_words(groups), layer.parameter_words(groups)
    skip = 0 if layer.is_pool else first
    weights = builder.load_weights(data.weights + skip * layer.weight_words(1) * data.weight_bytes, weight_words)
    parameters = builder.load_parameters(
        data.parameters + skip * layer.parameter_words(1) * data.parameter_bytes, parameter_words
    )
    return Chunk(first, groups, Span(weights, weights + weight_words), Span(parameters, parameters + parameter_words))


def _in_shape(layer: WindowedLayer) -> tuple[int, int, int]:
    return (*layer.in_size, layer.inputs.tensor)


def _out_shape(layer: WindowedLayer) -> tuple[int, int, int]:
    return (*layer.out_size, layer.outputs.tensor)


def operand_box(layer: WindowedLayer, rectangle: Rectangle, first: int, channels: int) -> Box:
    """What of the input a rectangle of the output reads, padding excluded."""
    (kernel_h, kernel_w), (stride_y, stride_x) = layer.window.kernel, layer.window.stride
    pad_top, _, pad_left, _ = layer.window.padding
    return Box(
        top=max(0, rectangle.top * stride_y - pad_top),
        bottom=min(layer.in_size[0], (rectangle.bottom - 1) * stride_y - pad_top + kernel_h),
        left=max(0, rectangle.left * stride_x - pad_left),
        right=min(layer.in_size[1], (rectangle.right - 1) * stride_x - pad_left + kernel_w),
        first=first,
        channels=channels,
    )


def _result_box(layer: WindowedLayer, rectangle: Rectangle, first: int, groups: int) -> Box:
    channel, channels = layer.chunk_outputs(first, groups)
    return Box(rectangle.top, rectangle.bottom, rectangle.left, rectangle.right, channel, channels)


def _uniform_parts(layer: WindowedLayer, rectangle: Rectangle, parameters: Span) -> Iterator[tuple[Rectangle, Span]]:
    """Parts of the rectangle with one set of parameters each: average pools divide by fewer at the borders."""
    if not layer.is_pool or layer.take_maximum:
        yield rectangle, parameters
        return
    window = layer.window
    rows = valid_extents(window.kernel[0], window.stride[0], window.padding[0], layer.in_size[0], layer.out_size[0])
    cols = valid_extents(window.kernel[1], window.stride[1], window.padding[2], layer.in_size[1], layer.out_size[1])
    for top, bottom in _runs(rows, rectangle.top, rectangle.bottom):
        for left, right in _runs(cols, rectangle.left, rectangle.right):
            word = parameters.start + layer.divisors.index(rows[top] * cols[left])
            yield Rectangle(top, bottom, left, right), Span(word, word + 1)


def _runs(values: list[int], start: int, end: int) -> list[tuple[int, int]]:
    """[start, end) cut where ``values`` change."""
    cuts = [start, *(index for index in range(start + 1, end) if values[index] != values[index - 1]), end]
    return list(pairwise(cuts))


def mac_fields(
    layer: WindowedLayer,
    part: Rectangle,
    operands: Tile,
    results: Tile,
    chunk: Chunk,
    parameters: Span,
) -> dict[str, int]:
    """The MAC instruction for ``part`` of the output, whose whole reduction is on chip."""
    window = layer.window
    width, height = part.right - part.left, part.bottom - part.top
    first_col = part.left * window.stride[1] - window.padding[2] - operands.box.left
    in_channel, _ = layer.chunk_inputs(chunk.first, chunk.groups)
    out_channel, channels = layer.chunk_outputs(chunk.first, chunk.groups)
    out_bank, out_address = results.byte(part.top, part.left, out_channel)
    return {
        **layer_fields(layer),
        "in_address": operands.address,
        "in_pitch": operands.row_pitch,
        "in_rows": operands.rows,
        "in_row_bytes": operands.row_bytes,
        "first_row": part.top * window.stride[0] - window.padding[0] - operands.box.top,
        "first_offset": first_col * operands.pixel_pitch + in_channel - operands.box.first,
        "row_stride": window.stride[0] if height > 1 else 0,
        "x_step": window.stride[1] * operands.pixel_pitch if width > 1 else 0,
        "out_width": width,
        "out_height": height,
        "kernel_steps": layer.steps.vertical,
        "step_rows": layer.steps.rows,
        "last_rows": window.kernel[0] - (layer.steps.vertical - 1) * layer.steps.rows,
        "segment_steps": layer.steps.horizontal,
        "segment_stride": layer.steps.columns * operands.pixel_pitch if layer.channelwise else layer.steps.lanes,
        "last_lanes": layer.counted_lanes[1],
        "slide": int(layer.slides),
        "columns": layer.steps.columns,
        "next_column": layer.steps.columns - layer.steps.new_columns,
        "column_stride": operands.pixel_pitch if layer.steps.columns > 1 else 0,
        "groups": chunk.groups,
        "group_stride": layer.group_advance,
        "weight_address": chunk.weights.start,
        "out_address": out_address,
        "out_bank": out_bank,
        "out_pitch": results.row_pitch,
        "out_step": results.pixel_pitch if width > 1 else 0,
        "last_channels": channels - (chunk.groups - 1) * layer.group_channels,
        "parameter_address": parameters.start,
    }


def layer_fields(layer: WindowedLayer) -> dict[str, int]:
    """The MAC fields that all of a layer's instructions share."""
    return {
        "weights_constant": int(layer.is_pool and not layer.slides),
        "weights_shared": int(layer.is_pool),
        "pad_value": layer.pad_value,
        "input_low": layer.input_clamp[0],
        "input_high": layer.input_clamp[1],
        "take_maximum": int(layer.take_maximum),
        "chunk_steps": layer.steps.chunk,
        "lanes": layer.counted_lanes[0],
        "group_channels": layer.group_channels,
        "rounding": int(layer.rounding),
        "zero_point": layer.zero_point,
        "clamp_low": layer.clamp[0],
        "clamp_high": layer.clamp[1],
        "parameters_constant": int(layer.is_pool),
    }
