"""Lint: Verilator's default warnings on emitted Verilog, less those waived with a reason in hdl/waivers.vlt."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from sim.system import ACCELERATOR_FILE, HDL
from sim.verilator import verilator_root


def lint(verilog: str, top: str = "cosynth_accelerator") -> str:
    """Verilator's warnings and errors about ``verilog``, which has the module ``top``; empty when there are none."""
    root = verilator_root()
    with tempfile.TemporaryDirectory(prefix="cosynth-lint-") as directory:
        (Path(directory) / ACCELERATOR_FILE).write_text(verilog, encoding="utf-8")
        completed = subprocess.run(
            [root / "bin" / "verilator_bin", "--lint-only", "--top-module", top, HDL / "waivers.vlt", ACCELERATOR_FILE],
            cwd=directory,
            env=os.environ | {"VERILATOR_ROOT": str(root)},
            capture_output=True,
            text=True,
        )
    return completed.stderr
