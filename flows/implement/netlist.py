"""A synthesised accelerator: cells of a device, by the component of the Verilog that they come from."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.tools import Watch, run_yosys

INSTANCE = "$scopeinfo"
"""Yosys's note of what was an instance of a module; nothing on the chip."""
HIDE_ELEMENTS = r"rename -hide w:*\[*\]"
"""Amaranth names an array's elements, ``sums[0]``, as Yosys names the bits of ``sums`` on their way through ABC, which
takes one for the other."""
ACCELERATOR, BOUNDARY = "accelerator", "boundary"
"""What the cells of the accelerator's own level, and those around it, are counted as."""


@dataclass(frozen=True, eq=False)
class Netlist:
    """An accelerator as cells of a device, alone or inside something."""

    verilog: str
    """The accelerator, as it was synthesised."""
    design: Mapping[str, Any]
    """Yosys's JSON of one module, flat."""
    within: str
    """What stands before names of the accelerator's Verilog: its instance's name and a dot, or nothing."""
    synth_seconds: float

    @property
    def cells(self) -> Counter[str]:
        """Cells by type."""
        return sum(self.components().values(), Counter())

    def components(self) -> dict[str, Counter[str]]:
        """Cells by type, of each component of the accelerator, and of each of the compute engine's parts.

        Yosys names a cell after a register, memory or wire of the Verilog; what components share counts for one of
        them. Cells around the accelerator are the boundary's.
        """
        (module,) = self.design["modules"].values()
        cells = module["cells"]
        instances = {name.removeprefix(self.within) for name, cell in cells.items() if cell["type"] == INSTANCE}
        components: dict[str, Counter[str]] = {}
        for name, cell in cells.items():
            if cell["type"] != INSTANCE:
                inside = name.startswith(self.within)
                component = _component(name.removeprefix(self.within), instances) if inside else BOUNDARY
                components.setdefault(component, Counter())[cell["type"]] += 1
        return dict(sorted(components.items()))


def _component(cell: str, instances: Set[str]) -> str:
    *path, _ = cell.split(".")
    while path and ".".join(path) not in instances:
        path.pop()
    depth = 2 if path[:1] == ["compute_engine"] else 1
    return ".".join(path[:depth]) or ACCELERATOR


def yosys_netlist(sources: Mapping[str, str], top: str, synthesis: Sequence[str], watch: Watch) -> dict[str, Any]:
    """Module ``top`` as the Yosys commands ``synthesis`` write it to ``netlist.json``; it alone, without primitives.

    ``sources`` are Verilog by file name. Raises ImplementationError.
    """
    with tempfile.TemporaryDirectory(prefix="cosynth-") as name:
        directory = Path(name)
        for file, text in sources.items():
            (directory / file).write_text(text, encoding="utf-8")
        run_yosys([f"read_verilog {' '.join(sources)}", HIDE_ELEMENTS, *synthesis], directory, watch)
        design: dict[str, Any] = json.loads((directory / "netlist.json").read_text(encoding="utf-8"))
    return design | {"modules": {top: design["modules"][top]}}
