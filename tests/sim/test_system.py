"""The cache of emitted Verilog knows every source that it depends on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sim.system import HWGEN, generator_sources

LOADED = """
import sys
import hwgen.verilog
print(*(module.__file__ for name, module in sys.modules.items() if name.startswith("hwgen.") and module.__file__))
"""


def test_generator_sources_are_all_that_emission_imports() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, cwd=HWGEN.parent
    )
    modules = {Path(name) for name in loaded.stdout.split()}
    assert HWGEN / "rtl" / "accelerator.py" in modules
    assert modules <= set(generator_sources())
