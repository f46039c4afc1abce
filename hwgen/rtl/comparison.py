"""Comparison of signed values by one carry chain."""

from __future__ import annotations

from amaranth.hdl import Cat, Value


def is_less(left: Value, right: Value) -> Value:
    """Whether ``left`` is below ``right``; both are signed and of one width.

    With their signs exchanged they compare as unsigned, by the carry alone. Of a signed comparison synthesis makes two
    carries, the second of logic behind the chain, and logic of both and the signs: twice as long.
    """
    if not left.shape().signed or left.shape() != right.shape():
        raise ValueError(f"is_less compares signed values of one width, not {left.shape()} and {right.shape()}")
    return Cat(left[:-1], right[-1]) < Cat(right[:-1], left[-1])
