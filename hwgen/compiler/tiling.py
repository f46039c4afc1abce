"""Tiling: how a windowed layer is cut so that its tiles fit the buffers and transfers hide behind the array."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from hwgen.compiler.steps import group_cycles
from hwgen.compiler.tiles import Home, Place, Rings, bank_bytes
from hwgen.compiler.windowed import WindowedLayer
from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import Opcode, largest

TRANSFER_OVERHEAD = 40
"""Cycles that a transfer costs beyond its data, to rank tilings: the memory's latency and the engine's own."""
PIPELINE_FILL = 30
"""Cycles from an instruction's first step to its first result in the activation buffer."""
INSTRUCTION_OVERHEAD = 4
"""Cycles that an instruction costs the array where its operands are on chip."""


@dataclass(frozen=True)
class Tiling:
    """Output rows and columns per tile, channel groups per chunk, and which loop is outside."""

    tile_height: int
    tile_width: int
    chunk_groups: int
    chunks_outside: bool
    """For each chunk all tiles, so that weights load once; otherwise for each tile all chunks, so that operands do."""


@dataclass(frozen=True)
class TileRooms:
    """Bytes per bank for tiles of operands and of results; None where the whole tensor stays on chip."""

    operands: int | None
    results: int | None


def tile_rooms(source: Home, target: Home, rings: Rings) -> TileRooms:
    """What ``rings`` offer a layer between two homes."""
    return TileRooms(
        rings.operands.size if isinstance(source, Place) else None,
        rings.results.size if isinstance(target, Place) else None,
    )


def choose_tiling(layer: WindowedLayer, config: AcceleratorConfig, rooms: TileRooms) -> Tiling | None:
    """The tiling with the lowest estimated cycles, or None where no tile with its whole reduction fits."""
    best: tuple[float, Tiling] | None = None
    for tiling in _candidates(layer, rooms):
        cost = _estimated_cycles(layer, tiling, config, rooms)
        if cost is not None and (best is None or cost < best[0]):
            best = (cost, tiling)
    return best[1] if best else None


def _halvings(extent: int) -> list[int]:
    """``extent`` cut into 1, 2, 3, 4, 6, 8, 12 ... equal pieces: the sizes of the pieces."""
    sizes: list[int] = []
    for pieces in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096):
        size = -(-extent // pieces)
        if not sizes or size < sizes[-1]:
            sizes.append(size)
        if size == 1:
            break
    return sizes


def _candidates(layer: WindowedLayer, rooms: TileRooms) -> Iterator[Tiling]:
    height, width = layer.out_size
    heights, widths = _halvings(height), _halvings(width)
    if rooms.results is None:
        # Tiles begin in the first bank, so that no two write the same rows of all banks and the next layer waits for
        # those rows only that it reads.
        heights = sorted({min(height, -(-rows // ROW_BANKS) * ROW_BANKS) for rows in heights}, reverse=True)
        widths = widths if rooms.operands is not None else [width]
    for tile_height, tile_width, chunk in product(heights, widths, _halvings(layer.groups)):
        # Narrow tiles only where rows do not fit whole: they cost a transfer per row.
        if tile_width < width and tile_height > heights[-1]:
            continue
        yield Tiling(tile_height, tile_width, chunk, chunks_outside=False)
        if chunk < layer.groups:
            yield Tiling(tile_height, tile_width, chunk, chunks_outside=True)


def _estimated_cycles(
    layer: WindowedLayer, tiling: Tiling, config: AcceleratorConfig, rooms: TileRooms
) -> float | None:
    """Cycles of the layer under ``tiling``, to rank tilings; None where a tile does not fit."""
    out_height, out_width = layer.out_size
    tiles = -(-out_height // tiling.tile_height) * -(-out_width // tiling.tile_width)
    chunks = -(-layer.groups // tiling.chunk_groups)
    bus, word = config.bus_bytes, config.act_word_bytes

    _, inputs = layer.chunk_inputs(0, tiling.chunk_groups)
    _, outputs = layer.chunk_outputs(0, tiling.chunk_groups)
    in_rows, in_cols = _operand_size(layer, tiling)
    operand_bytes = bank_bytes(in_rows, in_cols * inputs, word)
    result_bytes = bank_bytes(tiling.tile_height, tiling.tile_width * outputs, word)
    weight_words = layer.weight_words(tiling.chunk_groups)
    parameter_words = layer.parameter_words(tiling.chunk_groups)
    if (
        (rooms.operands is not None and operand_bytes > rooms.operands)
        or (rooms.results is not None and result_bytes > rooms.results)
        or weight_words > config.weight_words
        or parameter_words > config.parameter_words
        or not _encodable(layer, tiling, rooms, inputs, outputs)
    ):
        return None

    # Each row pays for the beats that it fills only in part, and where only some channels count, so does each pixel.
    in_runs = in_rows if inputs == layer.inputs.tensor else in_rows * in_cols
    out_runs = tiling.tile_height if outputs == layer.outputs.tensor else tiling.tile_height * tiling.tile_width
    operand_load = in_rows * in_cols * inputs / bus + in_runs + TRANSFER_OVERHEAD if rooms.operands is not None else 0.0
    result_store = (
        tiling.tile_height * tiling.tile_width * outputs / bus + 3 * out_runs + TRANSFER_OVERHEAD
        if rooms.results is not None
        else 0.0
    )
    weight_load = (weight_words * config.multipliers + parameter_words * layer.parameters.shape[2]) / bus
    weight_load += TRANSFER_OVERHEAD

    steps = tiles * chunks
    weight_loads = chunks if tiling.chunks_outside or chunks == 1 else steps
    operand_loads = steps if tiling.chunks_outside or layer.channelwise else tiles
    if tiles == 1 and not layer.channelwise:
        operand_loads = 1
    load = operand_loads * operand_load + weight_loads * weight_load
    store = steps * result_store
    pixels = out_height * out_width
    drain = pixels * layer.groups * -(-layer.group_channels // config.requant_lanes)
    array = layer.groups * group_cycles(layer.steps, layer.out_size, tiling.tile_width, config.block_pixels)
    compute = max(array, drain)
    if 2 * weight_words > config.weight_words or 2 * parameter_words > config.parameter_words:
        # The next words have no room beside these: the array waits for them.
        compute += weight_loads * weight_load
    if rooms.operands is None and rooms.results is None:
        # The next layer starts while this one's last tile drains, if it has another; weights come while others compute.
        bubble = PIPELINE_FILL + config.block_pixels
        exposed = max(0.0, bubble - compute / steps) if tiles > 1 else bubble
        return max(load, compute) + exposed + steps * INSTRUCTION_OVERHEAD
    compute += steps * PIPELINE_FILL
    double_buffered = all(
        room is None or 2 * needed <= room
        for needed, room in ((operand_bytes, rooms.operands), (result_bytes, rooms.results))
    )
    if double_buffered:
        return max(load, compute, store) + (load + store) / steps
    return load + compute + store


def _operand_size(layer: WindowedLayer, tiling: Tiling) -> tuple[int, int]:
    """Rows and columns of the input that a tile reads, at most."""
    (height, width), kernel, stride = layer.in_size, layer.window.kernel, layer.window.stride
    return (
        min(height, (tiling.tile_height - 1) * stride[0] + kernel[0]),
        min(width, (tiling.tile_width - 1) * stride[1] + kernel[1]),
    )


def _encodable(layer: WindowedLayer, tiling: Tiling, rooms: TileRooms, inputs: int, outputs: int) -> bool:
    """Whether the loops of a tile of ``inputs`` and ``outputs`` channels fit the fields of one MAC instruction."""
    in_pitch = layer.inputs.tensor if rooms.operands is None else inputs
    in_rows, in_cols = layer.in_size if rooms.operands is None else _operand_size(layer, tiling)
    out_pitch = layer.outputs.tensor if rooms.results is None else outputs
    one_wide = tiling.tile_width == 1
    values = {
        "out_height": tiling.tile_height,
        "out_width": tiling.tile_width,
        "groups": tiling.chunk_groups,
        "kernel_steps": layer.steps.vertical,
        "segment_steps": layer.steps.horizontal,
        "in_rows": in_rows,
        "in_row_bytes": in_cols * in_pitch,
        "segment_stride": layer.steps.columns * in_pitch if layer.channelwise else 0,
        "columns": layer.steps.columns,
        "column_stride": in_pitch if layer.steps.columns > 1 else 0,
        "x_step": 0 if one_wide else layer.window.stride[1] * in_pitch,
        "out_step": 0 if one_wide else out_pitch,
    }
    return all(value <= largest(Opcode.MAC, field) for field, value in values.items())
