"""Synthesis: an accelerator in its boundary becomes cells of the ECP5."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.ecp5.boundary import BOUNDARY_MODULE, boundary_verilog
from flows.ecp5.multipliers import absorb_product_registers
from flows.ecp5.tools import Watch, run_yosys
from hwgen.config import AcceleratorConfig
from hwgen.verilog import emit

INSTANCE = "$scopeinfo"
"""Yosys's note of what was an instance of a module; nothing on the chip."""


@dataclass(frozen=True, eq=False)
class Netlist:
    """An accelerator in its boundary, as cells of the ECP5."""

    verilog: str
    """The accelerator, as it was synthesised."""
    design: Mapping[str, Any]
    """Yosys's JSON."""
    synth_seconds: float

    @property
    def cells(self) -> Counter[str]:
        """Cells by type."""
        return sum(self.components().values(), Counter())

    def components(self) -> dict[str, Counter[str]]:
        """Cells by type, of each component of the accelerator, and of each of the compute engine's parts.

        Yosys names a cell after a register, memory or wire of the Verilog; what components share counts for one of
        them. The boundary's own cells stand under its name.
        """
        cells = self.design["modules"][BOUNDARY_MODULE]["cells"]
        instances = {name for name, cell in cells.items() if cell["type"] == INSTANCE}
        components: dict[str, Counter[str]] = {}
        for name, cell in cells.items():
            if cell["type"] != INSTANCE:
                components.setdefault(_component(name, instances), Counter())[cell["type"]] += 1
        return dict(sorted(components.items()))


def _component(cell: str, instances: Set[str]) -> str:
    *path, _ = cell.split(".")
    while path and ".".join(path) not in instances:
        path.pop()
    depth = 2 if path[1:2] == ["compute_engine"] else 1
    return ".".join(path[1 : depth + 1]) or (path[0] if path else BOUNDARY_MODULE)


def synthesise(config: AcceleratorConfig, watch: Watch) -> Netlist:
    """Map the accelerator in its boundary to LUTs, flip-flops, multipliers and memories. Raises ImplementationError."""
    started = time.monotonic()
    verilog = emit(config)
    sources = {"accelerator.v": verilog, "boundary.v": boundary_verilog(config)}
    return Netlist(verilog, map_to_cells(sources, BOUNDARY_MODULE, watch), time.monotonic() - started)


def map_to_cells(sources: Mapping[str, str], top: str, watch: Watch) -> dict[str, Any]:
    """Yosys's JSON of module ``top``, flat, of Verilog ``sources`` by file name. Raises ImplementationError."""
    with tempfile.TemporaryDirectory(prefix="cosynth-") as name:
        directory = Path(name)
        for file, text in sources.items():
            (directory / file).write_text(text, encoding="utf-8")
        synthesis = f"synth_lattice -family ecp5 -top {top} -json netlist.json"
        run_yosys([f"read_verilog {' '.join(sources)}", synthesis], directory, watch)
        design: dict[str, Any] = json.loads((directory / "netlist.json").read_text(encoding="utf-8"))
    module = design["modules"][top]
    # Yosys adds the primitives, which tools that take the netlist know.
    return design | {"modules": {top: module | {"cells": absorb_product_registers(module)}}}
