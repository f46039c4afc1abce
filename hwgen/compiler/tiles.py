"""Tiles: rectangles of a tensor and their place in the activation buffer, successive rows in successive banks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hwgen.compiler.builder import Extent, ProgramBuilder, Span, Transfer
from hwgen.compiler.ring import Ring
from hwgen.config import ROW_BANKS
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
    """A box in the activation buffer: row r in bank r mod ROW_BANKS, at ``address + r // ROW_BANKS * row_pitch``."""

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

    def span(self, top: int, bottom: int) -> Span:
        """Addresses of the tensor's rows [top, bottom), which are the tile's, in whatever bank."""
        first, end = top - self.box.top, bottom - self.box.top
        return Span(
            self.address + first // ROW_BANKS * self.row_pitch, self.address + -(-end // ROW_BANKS) * self.row_pitch
        )

    def byte(self, row: int, column: int, channel: int) -> tuple[int, int]:
        """Bank, and address there, of a byte of the tensor that is the tile's."""
        down = row - self.box.top
        across = (column - self.box.left) * self.pixel_pitch + channel - self.box.first
        return down % ROW_BANKS, self.address + down // ROW_BANKS * self.row_pitch + across

    def regrouped(self, channels: int) -> Tile:
        """The same bytes as pixels of ``channels``, each of several of this tile's."""
        pixels = channels // self.pixel_pitch
        box = replace(self.box, left=self.box.left // pixels, right=self.box.right // pixels, channels=channels)
        return replace(self, box=box, pixel_pitch=channels)


Home = Place | Tile
"""Where a tensor lies between layers: in memory, or on chip as one tile that holds all of it."""


@dataclass(frozen=True)
class Rings:
    """Where a layer's tiles of tensors in memory go."""

    operands: Ring
    results: Ring


def bank_bytes(rows: int, row_bytes: int, word_bytes: int) -> int:
    """Bytes of every bank that a tile takes: rows begin on whole words."""
    return -(-rows // ROW_BANKS) * (-(-row_bytes // word_bytes) * word_bytes)


def place_tile(ring: Ring, box: Box, word_bytes: int) -> Tile:
    """A tile for ``box``, in the ring's next place.

    Raises ValueError where it does not fit the ring.
    """
    if box.empty:
        return Tile(box, ring.base, 0, box.channels)
    row_bytes = (box.right - box.left) * box.channels
    address = ring.allocate(bank_bytes(box.bottom - box.top, row_bytes, word_bytes))
    return Tile(box, address, bank_bytes(1, row_bytes, word_bytes), box.channels)


def _first_byte(box: Box, place: Place, shape: tuple[int, int, int]) -> int:
    _, width, channels = shape
    return place.offset + (box.top * width + box.left) * channels + box.first


def operand_tile(builder: ProgramBuilder, ring: Ring, home: Home, box: Box, shape: tuple[int, int, int]) -> Tile:
    """A tile that has ``box`` of a tensor of ``shape``: its home on chip, or the ring's next place, loaded from memory.

    Raises ValueError where the box does not fit the ring.
    """
    if isinstance(home, Tile):
        return home
    tile = place_tile(ring, box, builder.config.act_word_bytes)
    for transfer in _transfers(tile, home, shape):
        builder.load_act(transfer)
    return tile


def result_tile(builder: ProgramBuilder, ring: Ring, home: Home, box: Box) -> Tile:
    """A tile to compute ``box`` into: the tensor's home on chip, or the ring's next place.

    Raises ValueError where the box does not fit the ring.
    """
    return home if isinstance(home, Tile) else place_tile(ring, box, builder.config.act_word_bytes)


def keep_results(builder: ProgramBuilder, tile: Tile, home: Home, shape: tuple[int, int, int]) -> None:
    """Bring a tile of results of a tensor of ``shape`` home, if that is in memory."""
    if isinstance(home, Place):
        for transfer in _transfers(tile, home, shape):
            builder.store(transfer)


def _transfers(tile: Tile, place: Place, shape: tuple[int, int, int]) -> list[Transfer]:
    """The tile's box in as few transfers as it takes: one, or one per row where only some channels of a pixel count."""
    box = tile.box
    if box.empty:
        return []
    _, width, channels = shape
    first = _first_byte(box, place, shape)
    cols = box.right - box.left
    if box.channels == channels:
        extent = Extent(place.region, first, width * channels, cols * channels, tile.rows)
        return [Transfer(extent, tile.address, tile.row_pitch, 0, banked=True)]
    return [
        Transfer(
            Extent(place.region, first + row * width * channels, channels, box.channels, cols),
            tile.address + row // ROW_BANKS * tile.row_pitch,
            tile.pixel_pitch,
            row % ROW_BANKS,
            banked=False,
        )
        for row in range(tile.rows)
    ]
