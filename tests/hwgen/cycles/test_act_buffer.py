"""What a burst is told at once of the activation buffer is what its beats would be told one by one."""

from __future__ import annotations

import numpy as np

from hwgen.cycles.act_buffer import Accesses, AccessLog
from hwgen.cycles.memories import LOWER


def random_log(rng: np.random.Generator) -> AccessLog:
    """Some instructions' accesses, in cycles below 60."""
    log = AccessLog()
    for _ in range(3):
        first = int(rng.integers(40))
        cycles = np.flatnonzero(rng.random(20) < 0.2) + first
        half = LOWER << int(rng.integers(2))
        touched = rng.integers(1 << 16, size=cycles.size) & half
        log.add(Accesses(first, first + 19, half, lambda cycles=cycles, touched=touched: (cycles, touched)))
    return log


def test_free_beats_are_those_before_the_first_that_waits() -> None:
    rng = np.random.default_rng(0)
    counts = set()
    for _ in range(200):
        log, first, interval = random_log(rng), int(rng.integers(50)), int(rng.integers(1, 4))
        memories = 1 << rng.integers(16, size=12)
        waits = [
            log.first_free(first + i * interval, int(memory)) > first + i * interval
            for i, memory in enumerate(memories)
        ]
        expected = waits.index(True) if any(waits) else len(waits)
        assert log.free_beats(first, interval, memories) == expected
        counts.add(expected)
    assert counts == set(range(13))


def test_the_first_free_cycle_is_one_that_no_access_touches() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        log, cycle, memory = random_log(rng), int(rng.integers(60)), 1 << int(rng.integers(16))
        found = log.first_free(cycle, memory)
        assert log.free_beats(found, 1, np.array([memory])) == 1
        assert all(log.free_beats(before, 1, np.array([memory])) == 0 for before in range(cycle, found))
