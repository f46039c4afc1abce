"""Cells of Yosys's JSON netlist, and who reads what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Cell = dict[str, Any]
"""A cell: its type, parameters, directions of its ports, and the wires' numbers at each."""
Readers = dict[int, list[tuple[str, str]]]
"""Of each wire: the cells, and their ports, that read it; module ports stand under no cell's name."""


def readers_of(module: Mapping[str, Any]) -> Readers:
    """Who reads each wire of a module."""
    readers: Readers = defaultdict(list)
    for name, cell in module["cells"].items():
        for port, wires in cell["connections"].items():
            if cell["port_directions"][port] != "output":
                for wire in wires:
                    readers[wire].append((name, port))
    for name, port in module["ports"].items():
        for wire in port["bits"]:
            readers[wire].append(("", name))
    return readers
