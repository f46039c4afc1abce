"""Tiles: rectangles of a tensor and their place in the activation buffer.

Transfers move whole bus beats, so a byte keeps its position within a beat: a tile's address and pitches are congruent
to those of its tensor in memory, modulo the bus width.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.compiler.builder import Extent, ProgramBuilder, Span
from hwgen.compiler.hazards import Ring
from hwgen.isa import Region


@dataclass(frozen=True)
class Place:
    """Where a tensor lies in memory."""

    region: Region
    offset: int


@dataclass(frozen=True)
class Box:
    """Rows [top, bottom), columns [left, right) and channels [first, first + channels) of a tensor."""

    top: int
    bottom: int
    left: int
    right: int
    first: int
    channels: int

    @property
    def empty(self) -> bool:
        return self.bottom <= self.top or self.right <= self.left


@dataclass(frozen=True)
class Tile:
    """A box in the activation buffer: its first byte, and the bytes from a row and from a pixel to the next."""

    box: Box
    address: int
    row_pitch: int
    pixel_pitch: int

    @property
    def rows(self) -> int:
        return max(0, self.box.bottom - self.box.top)

    @property
    def row_bytes(self) -> int:
        return max(0, self.box.right - self.box.left) * self.pixel_pitch

    @property
    def span(self) -> Span:
        if self.box.empty:
            return Span(self.address, self.address)
        return Span(self.address, self.address + (self.rows - 1) * self.row_pitch + self.row_bytes)


def _congruent_at_least(value: int, residue: int, modulus: int) -> int:
    return value + (residue - value) % modulus


def place_tile(ring: Ring, box: Box, place: Place, shape: tuple[int, int, int], bus_bytes: int) -> Tile:
    """A tile for ``box`` of the tensor of ``shape`` at ``place``, in the ring's next place.

    Raises ValueError where it does not fit the ring.
    """
    _, width, channels = shape
    if box.empty:
        return Tile(box, ring.base, 0, channels)
    pixel_pitch = channels
    if box.channels < channels:
        pixel_pitch = _congruent_at_least(box.channels, channels, bus_bytes)
    cols = box.right - box.left
    row_pitch = _congruent_at_least(cols * pixel_pitch, width * channels, bus_bytes)
    length = (box.bottom - box.top - 1) * row_pitch + cols * pixel_pitch
    address = ring.allocate(length, _first_byte(box, place, shape) % bus_bytes, bus_bytes)
    return Tile(box, address, row_pitch, pixel_pitch)


def _first_byte(box: Box, place: Place, shape: tuple[int, int, int]) -> int:
    _, width, channels = shape
    return place.offset + (box.top * width + box.left) * channels + box.first


def load_tile(builder: ProgramBuilder, tile: Tile, place: Place, shape: tuple[int, int, int]) -> None:
    """Bring the tile's box from memory."""
    for extent, address, pitch in _transfers(tile, place, shape):
        builder.load_act(extent, address, pitch)


def store_tile(builder: ProgramBuilder, tile: Tile, place: Place, shape: tuple[int, int, int]) -> None:
    """Write the tile's box to memory."""
    for extent, address, pitch in _transfers(tile, place, shape):
        builder.store(extent, address, pitch)


MAX_TRANSFER_ROWS = 2**16 - 1


def _transfers(tile: Tile, place: Place, shape: tuple[int, int, int]) -> list[tuple[Extent, int, int]]:
    """The tile's box as (extent in memory, address and pitch in the buffer), in as few transfers as it takes."""
    box = tile.box
    if box.empty:
        return []
    _, width, channels = shape
    first = _first_byte(box, place, shape)
    cols = box.right - box.left
    whole_pixels, whole_rows = box.channels == channels, cols == width
    if whole_pixels and whole_rows:
        length = tile.rows * width * channels
        return [(Extent(place.region, first, length, length, 1), tile.address, length)]
    if whole_pixels:
        extent = Extent(place.region, first, width * channels, cols * channels, tile.rows)
        return [(extent, tile.address, tile.row_pitch)]
    if whole_rows and tile.rows * width <= MAX_TRANSFER_ROWS:
        return [
            (Extent(place.region, first, channels, box.channels, tile.rows * width), tile.address, tile.pixel_pitch)
        ]
    return [
        (
            Extent(place.region, first + row * width * channels, channels, box.channels, cols),
            tile.address + row * tile.row_pitch,
            tile.pixel_pitch,
        )
        for row in range(tile.rows)
    ]
