"""Tools run in processes of their own, which end with whoever watches them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.tools import run_tool

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
