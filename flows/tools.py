"""Synthesis tools from PyPI, each run in a process and a directory of its own."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO

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


class SilentToolError(ImplementationError):
    """A tool said nothing for so long that it was stopped."""


def require_package(package: str) -> None:
    """ImplementationError where ``package`` is not installed."""
    if find_spec(package) is None:
        raise ImplementationError(f"{package} is not installed; run `pip install 'cosynth[implement]'`")


def run_yosys(commands: Sequence[str], directory: Path, watch: Watch) -> None:
    """Run Yosys's ``commands``, one after another, in ``directory``. Raises ImplementationError."""
    run_tool("pyosys", [_YOSYS, *commands], directory, watch)


def run_tool(
    package: str, arguments: Sequence[str], directory: Path, watch: Watch, patience_seconds: float | None = None
) -> None:
    """Run ``arguments``, a Python program and its arguments, that needs ``package``.

    Raises SilentToolError where it says nothing for ``patience_seconds``, ImplementationError where it fails.
    """
    require_package(package)
    said: deque[str] = deque(maxlen=LAST_WORDS)
    command = [sys.executable, "-c", *arguments]
    with subprocess.Popen(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        lines: SimpleQueue[str | None] = SimpleQueue()
        Thread(target=_forward, args=(process.stdout, lines), daemon=True).start()
        try:
            while (line := lines.get(timeout=patience_seconds)) is not None:
                said.append(line)
                watch(line.strip())
        except Empty:
            process.kill()
            raise SilentToolError(f"{package} said nothing for {patience_seconds} seconds and was stopped") from None
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise ImplementationError(f"{package} failed:\n{''.join(said)}")


def _forward(output: IO[str], lines: SimpleQueue[str | None]) -> None:
    """Put each line of ``output`` into ``lines``, and None behind them."""
    for line in output:
        lines.put(line)
    lines.put(None)
