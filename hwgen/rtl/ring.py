"""Rings of bytes: where data of any alignment meet words. What goes beyond a ring's end comes round to its begin."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

BYTE = 8


def bytes_from(m: Module, name: str, ring: Value, place: Value, count: int) -> Value:
    """``count`` bytes of ``ring`` from byte ``place`` on; ``place`` is below the ring's size.

    Moves by the largest power of two first, and keeps what the smaller ones may still want.
    """
    size = len(ring) // BYTE
    for bit in reversed(range(len(place))):
        ring = moved(m, f"{name}_{bit}", ring, 1 << bit, place[bit], min(size, count + (1 << bit) - 1))
    return ring


def moved(m: Module, name: str, ring: Value, distance: int, moves: Value, count: int) -> Value:
    """``count`` bytes of ``ring`` from its first on or, where it ``moves``, from that at ``distance``."""
    level = Signal(count * BYTE, name=name)
    m.d.comb += level.eq(Mux(moves, Cat(ring, ring)[distance * BYTE :], ring)[: len(level)])
    return level


def word_at(m: Module, name: str, data: Value, place: Value) -> Value:
    """A word with ``data`` from byte ``place`` on, all over: whatever word size, take it and write what the mask says.

    Its size is the power of two that is not below that of ``data``.
    """
    size = 1 << (len(data) // BYTE - 1).bit_length()
    return rotate(m, name, Cat(data, Const(0, size * BYTE - len(data))), place, BYTE)


def rotate(m: Module, name: str, ring: Value, place: Value, granule: int) -> Value:
    """``ring`` with its first granule, of so many bits, at ``place`` modulo its size, a power of two of them."""
    for bit in range((len(ring) // granule - 1).bit_length()):
        # A signal per level: an expression would hold the ring twice, and double with each.
        level = Signal(len(ring), name=f"{name}_{bit}")
        m.d.comb += level.eq(Mux(place[bit], ring.rotate_left(granule << bit), ring))
        ring = level
    return ring
