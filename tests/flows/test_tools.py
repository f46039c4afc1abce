"""Tools run in processes of their own, which end with whoever watches them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.tools import ImplementationError, SilentToolError, run_tool

WAITS = "import os, time; print(os.getpid(), flush=True); time.sleep(3600)"


def test_a_watch_that_raises_ends_the_tool(tmp_path: Path) -> None:
    said: list[int] = []

    def watch(line: str) -> None:
        said.append(int(line))
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run_tool("json", [WAITS], tmp_path, watch)
    with pytest.raises(ProcessLookupError):
        os.kill(said[0], 0)


def test_a_tool_that_says_nothing_for_too_long_is_stopped(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(SilentToolError, match=r"json said nothing for 0\.5 seconds"):
        run_tool("json", [WAITS], tmp_path, said.append, patience_seconds=0.5)
    # where a busy machine takes longer to start the tool, it has said nothing at all
    for process in map(int, said):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_a_tool_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(ImplementationError, match="json failed:\nlast words\n"):
        run_tool("json", ["import sys; print('last words'); sys.exit(3)"], tmp_path, lambda line: None)
