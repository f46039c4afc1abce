"""How many block memories a memory takes: the geometry that costs least to Yosys's ``memory_libmap``, by its prices."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from hwgen.rtl.ram import RamShape

BLOCK_WIDTHS = (1, 2, 4, 9, 18, 36)
"""Bits of a block memory's words; it has half as many words with each."""
BLOCK_ADDRESS_BITS = 14
"""Of words of one bit."""
BYTE = 9
"""Bits that one of its write enables is for."""
BLOCK_PRICE = 128
DISTRIBUTED_WORDS, DISTRIBUTED_WIDTH = 16, 4
"""Of a distributed memory."""
MUX_PRICE = 0.5
"""Of choosing a bit of read data, or gating a write enable, where words lie in several memories."""


@dataclass(frozen=True)
class Mapping:
    """A memory made of ``cells`` memories of the device."""

    cells: int
    price: float
    selection: float
    """The part of the price that is for selecting among them."""


def block_mapping(shape: RamShape) -> Mapping:
    """``shape``, with one read and one write port, as DP16KDs."""
    best: Mapping | None = None
    for halvings, width in enumerate(BLOCK_WIDTHS):
        byte = min(BYTE, width)
        # A write enable is for whole bytes, so that a granule begins with one.
        word_bits = shape.width // shape.granule * ceil(shape.granule / byte) * byte
        parts = ceil(shape.depth / (1 << (BLOCK_ADDRESS_BITS - halvings)))
        cells = ceil(parts * word_bits / width)
        enables = shape.width // shape.granule if parts > 1 else 0
        selection = MUX_PRICE * ((parts - 1) * shape.width + parts * enables)
        mapping = Mapping(cells, cells * BLOCK_PRICE + selection, selection)
        # Yosys remembers the least price as an integer.
        if best is None or mapping.price < int(best.price):
            best = mapping
    assert best is not None
    return best
