"""Right shift, place by place, that remembers what rounding has to know of the bits that it drops."""

from __future__ import annotations

from amaranth.hdl import Mux, Value


def shifted_by_place(bits: Value, below: Value, shifts: Value, place: int) -> tuple[Value, Value]:
    """``bits`` shifted right by 2**place where ``shifts``, and whether ``below`` and all bits that this drops are ones.

    All ones below the bit that rounds carry into it, of a negative number that is shifted as what is left of -1 without
    it. What is shifted has as many bits as ``bits``; those above what may still matter are the caller's to cut.
    """
    dropped, rest = bits[: 1 << place], bits[1 << place :]
    return Mux(shifts, rest, bits), below & (~shifts | dropped.all())
