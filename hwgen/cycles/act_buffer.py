"""Activation buffer: where a beat of a transfer meets what the computations write and fetch.

A beat from memory waits while a result is written to a memory that it touches, and a beat to memory while the array
fetches from one. Which memories those are is worked out only where such a beat may meet them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

Walk = Callable[[], tuple[np.ndarray, np.ndarray]]
"""Works out the cycle of each access and the memories that it touches."""


@dataclass(frozen=True)
class Accesses:
    """One instruction's accesses to the buffer, of one kind."""

    first: int
    """No access is in an earlier cycle."""
    last: int
    """Or in a later one."""
    halves: int
    """All memories of the halves that they may go to."""
    walk: Walk

    @cached_property
    def by_cycle(self) -> np.ndarray:
        """int64 [last - first + 1]: the memories accessed in each cycle."""
        memories = np.zeros(self.last - self.first + 1, np.int64)
        cycles, touched = self.walk()
        memories[cycles - self.first] = touched
        return memories


class AccessLog:
    """The computations' accesses of one kind, instruction by instruction, as far as they are known."""

    def __init__(self) -> None:
        self._accesses: deque[Accesses] = deque()

    def add(self, accesses: Accesses) -> None:
        """The next instruction's accesses will be made."""
        self._accesses.append(accesses)

    def forget(self, before: int) -> None:
        """Nobody will ask for cycles earlier than ``before``."""
        while self._accesses and self._accesses[0].last < before:
            self._accesses.popleft()

    def first_free(self, cycle: int, memories: int) -> int:
        """The first cycle from ``cycle`` on in which no access touches ``memories``."""
        met = True
        while met:
            met = False
            for accesses in self._accesses:
                if accesses.first <= cycle <= accesses.last and accesses.halves & memories:
                    while cycle <= accesses.last and accesses.by_cycle[cycle - accesses.first] & memories:
                        cycle += 1
                        met = True
        return cycle

    def free_beats(self, first: int, interval: int, memories: np.ndarray) -> int:
        """How many beats, from the first on, nothing meets.

        Beat i touches ``memories[i]`` in cycle ``first + i * interval``.
        """
        beats = memories.size
        for accesses in self._accesses:
            begin = max(0, -(-(accesses.first - first) // interval))
            end = min(beats, (accesses.last - first) // interval + 1)
            if begin < end and accesses.halves & int(np.bitwise_or.reduce(memories[begin:end])):
                cycle = first + begin * interval - accesses.first
                meets = accesses.by_cycle[cycle::interval][: end - begin] & memories[begin:end]
                if meets.any():
                    beats = begin + int(np.argmax(meets != 0))
        return beats

    def is_free(self, first: int, last: int, halves: int) -> bool:
        """Whether nothing can touch these halves from cycle ``first`` to ``last``."""
        return not any(
            accesses.first <= last and first <= accesses.last and accesses.halves & halves
            for accesses in self._accesses
        )

    def are_free(self, first: int, memories: np.ndarray) -> bool:
        """Whether nothing touches ``memories[i]`` in cycle ``first + i``, for all i."""
        last = first + memories.size - 1
        for accesses in self._accesses:
            begin, end = max(first, accesses.first), min(last, accesses.last) + 1
            if begin < end and np.any(
                accesses.by_cycle[begin - accesses.first : end - accesses.first] & memories[begin - first : end - first]
            ):
                return False
        return True


class ActBuffer:
    """``hwgen.rtl.act_buffer``, as far as what meets in it delays transfers."""

    def __init__(self) -> None:
        self.results = AccessLog()
        self.fetches = AccessLog()
        self.next_fetch = 0
        """No fetch that is not in the log is earlier."""
        self.next_result = 0
        """No result that is not in the log is earlier."""
