"""Hazards: which earlier instructions an access to a memory must wait for."""

from __future__ import annotations

from dataclasses import dataclass, field

from hwgen.program import Engine

Waits = dict[Engine, int]
"""For each engine, how many instructions it must have retired."""


def merge_waits(*several: Waits) -> Waits:
    """The weakest waits that imply all of ``several``."""
    merged: Waits = {}
    for waits in several:
        for engine, retired in waits.items():
            merged[engine] = max(merged.get(engine, 0), retired)
    return merged


@dataclass(frozen=True)
class Access:
    """Instruction number ``retired`` of ``engine`` touches [start, end)."""

    start: int
    end: int
    engine: Engine
    retired: int


@dataclass
class Hazards:
    """The accesses to one memory that a later access could still collide with."""

    reads: list[Access] = field(default_factory=list)
    writes: list[Access] = field(default_factory=list)

    def before_read(self, start: int, end: int) -> Waits:
        """What a read of [start, end) waits for: the writes that produce it."""
        return _latest(self.writes, start, end)

    def before_write(self, start: int, end: int) -> Waits:
        """What a write of [start, end) waits for: earlier writes, and the reads of what it overwrites."""
        return merge_waits(_latest(self.writes, start, end), _latest(self.reads, start, end))

    def record_read(self, access: Access) -> None:
        """Note a read; an older read by the same engine within its range is implied, since engines retire in order."""
        self.reads = [old for old in self.reads if not (old.engine == access.engine and _covers(access, old))]
        self.reads.append(access)

    def record_write(self, access: Access) -> None:
        """Note a write; what it covers can be forgotten, since it waited for all of that."""
        self.reads = [old for old in self.reads if not _covers(access, old)]
        self.writes = [old for old in self.writes if not _covers(access, old)]
        self.writes.append(access)


def _covers(outer: Access, inner: Access) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _latest(accesses: list[Access], start: int, end: int) -> Waits:
    waits: Waits = {}
    for access in accesses:
        if access.start < end and start < access.end:
            waits[access.engine] = max(waits.get(access.engine, 0), access.retired)
    return waits
