"""Seconds of the processor are counted wherever the work was done."""

from __future__ import annotations

import subprocess
import sys

from flows.stopwatch import Stopwatch


def test_work_in_a_process_of_its_own_counts() -> None:
    watch = Stopwatch()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"], check=True)
    spent = watch.read()
    assert spent.cpu_seconds >= 0.25
    assert spent.wall_seconds >= 0.25
