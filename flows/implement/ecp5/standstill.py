"""Standstill: on an ECP5, lanes work all the time.

A lane that stands still while nothing passes it (`hwgen/rtl/drain.py`, `hwgen/rtl/eltwise_adder.py`) saves energy, and
its results are the same without. Here the enables would cost more: the cells of a slice share one, and of `default`,
placed with them, wires were 9 % longer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

ENABLE = "works"
"""The signal of that name in a module, and the modules that have it."""
MODULES = re.compile(r"^module (\\\S+\.compute_engine\.(?:drain|adder)) ", re.MULTILINE)


def lanes_always_work(sources: Mapping[str, str]) -> list[str]:
    """Yosys's commands, after reading Verilog ``sources`` by file name, that tie the enables of their lanes."""
    modules = [module for text in sources.values() for module in MODULES.findall(text)]
    return [command for module in modules for command in (f"cd {module}", "proc", f"connect -set {ENABLE} 1'1", "cd")]
