"""Standstill: on an ECP5, lanes work all the time.

A lane that stands still while nothing passes it (`hwgen/rtl/drain.py`, `hwgen/rtl/eltwise_adder.py`) saves energy, and
its results are the same without. Here the enables would cost more: the cells of a slice share one, and of `default`,
placed with them, wires were 9 % longer.
"""

from __future__ import annotations

import re

ENABLE = "works"
"""The lanes' port of that name, which no other module has."""
CONNECTED = re.compile(rf"\.{ENABLE}\([^()]*\)")


def lanes_always_work(verilog: str) -> str:
    """``verilog`` with the enable of each of its lanes tied where the lane is connected."""
    return CONNECTED.sub(f".{ENABLE}(1'h1)", verilog)
