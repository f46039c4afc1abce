"""Ring: successive places in an on-chip buffer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Ring:
    """Places successive allocations one after another in a buffer, wrapping at its end."""

    base: int
    size: int
    position: int = 0

    def allocate(self, length: int) -> int:
        """Address of ``length`` units, in the ring's next place. Raises ValueError where they do not fit it."""
        if length > self.size:
            raise ValueError(f"{length} units do not fit a buffer of {self.size}")
        if self.position + length > self.size:
            self.position = 0
        start = self.base + self.position
        self.position += length
        return start
