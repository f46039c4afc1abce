"""The memory behind the accelerator's bus, as it is simulated and as the cycle model takes it to be."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.errors import InputError


class MemoryModelError(InputError):
    """A memory that cannot be simulated."""


@dataclass(frozen=True)
class MemoryModel:
    """The memory's timing."""

    latency_cycles: int = 32
    """From an accepted read address to its first beat, and from a last write beat to its response (at least 2)."""
    cycles_per_beat: int = 1
    """On each of the two data channels; 1 is the bus's full bandwidth."""

    def __post_init__(self) -> None:
        if self.latency_cycles < 2:
            raise MemoryModelError(f"latency_cycles: {self.latency_cycles} is out of range; accepted: at least 2")
        if self.cycles_per_beat < 1:
            raise MemoryModelError(f"cycles_per_beat: {self.cycles_per_beat} is out of range; accepted: at least 1")


DEFAULT_MEMORY = MemoryModel()
