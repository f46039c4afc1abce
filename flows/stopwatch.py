"""How long something took, on the clock and of the processor."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Spent:
    """Seconds that something took."""

    wall_seconds: float
    cpu_seconds: float
    """Of all threads, and of the processes that were started and have ended."""


class Stopwatch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), _cpu_seconds()

    def read(self) -> Spent:
        """What was spent until now."""
        return Spent(round(time.monotonic() - self._wall, 4), round(_cpu_seconds() - self._cpu, 4))


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
