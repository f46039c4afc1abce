"""Synthesis tools from PyPI, each run in a process and a directory of its own."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

Watch = Callable[[str], None]
"""Is told each line that a tool says; what it raises ends the tool."""

# Yosys ends its process at an error.
_YOSYS = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""
LAST_WORDS = 20
"""Lines of a failed tool that its error repeats."""


class ImplementationError(RuntimeError):
    """A tool failed or is not installed; the message says what it said last, or what to install."""


def require_package(package: str) -> None:
    """ImplementationError where ``package`` is not installed."""
    if find_spec(package) is None:
        raise ImplementationError(f"{package} is not installed; run `pip install 'cosynth[implement]'`")


def run_yosys(commands: Sequence[str], directory: Path, watch: Watch) -> None:
    """Run Yosys's ``commands``, one after another, in ``directory``. Raises ImplementationError."""
    run_tool("pyosys", [_YOSYS, *commands], directory, watch)


def run_tool(package: str, arguments: Sequence[str], directory: Path, watch: Watch) -> None:
    """Run ``arguments``, a Python program and its arguments, that needs ``package``. Raises ImplementationError."""
    require_package(package)
    said: deque[str] = deque(maxlen=LAST_WORDS)
    command = [sys.executable, "-c", *arguments]
    with subprocess.Popen(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                said.append(line)
                watch(line.strip())
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise ImplementationError(f"{package} failed:\n{''.join(said)}")
