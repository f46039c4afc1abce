"""Store engine: when its instructions retire, down to the memory's acknowledgement.

A beat waits where it meets the array's fetches in the activation buffer. An instruction's fetches are known when it
begins; until then a store's times are worked out as if there were none, and once they come they are true.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.cycles.act_buffer import AccessLog
from hwgen.cycles.clock import Queue
from hwgen.cycles.compute_engine import FETCH_LATENCY
from hwgen.cycles.instructions import Instruction
from hwgen.cycles.load_engine import requests
from hwgen.cycles.memories import in_halves, store_memories
from hwgen.cycles.run import Run
from hwgen.memory_model import MemoryModel
from hwgen.program import Engine
from hwgen.rtl import act_buffer as rtl
from hwgen.rtl.burst_splitter import split_bursts
from hwgen.rtl.row_beats import AHEAD
from hwgen.rtl.store_engine import BEAT_BUFFER, IN_FLIGHT
from hwgen.rtl.write_port import MAX_OUTSTANDING

READ_LATENCY = rtl.ActBuffer.read_latency + 1
"""Cycles from the reading of a beat to its leaving the engine's buffer."""
FIND_LATENCY = rtl.ActBuffer.store_latency - rtl.ActBuffer.read_latency
"""Cycles from a beat's being asked for to its reading."""
ADDRESS_LATENCY = 2
"""Cycles from a burst's acceptance by the write port to its beats' leaving the engine's buffer, at the least."""


@dataclass(frozen=True)
class _Store:
    """An instruction that was accepted."""

    accepted: int
    fields: dict[str, int]
    rows: tuple[tuple[int, ...], ...]
    """Beats of each row's bursts."""
    halves: int
    """All memories of the halves that its beats lie in."""
    config: AcceleratorConfig

    @cached_property
    def memories(self) -> np.ndarray:
        """int64 [beats]: the memories that each touches."""
        return store_memories(self.fields, self.config)


class StoreEngine:
    """``hwgen.rtl.store_engine``, the write port and the memory's write channels."""

    def __init__(self, run: Run, queue: Queue) -> None:
        self._run = run
        self._queue = queue
        self._settled = _Progress(takes=deque([-run.memory.cycles_per_beat] * 2, maxlen=2))
        """After the instructions whose times are certain."""
        self._unsettled: deque[_Store] = deque()
        """The instructions after those."""
        self._accepts_from = 0
        self._settles_at = 0
        """When the first time that is not certain comes."""

    def step(self, now: int) -> bool:
        """Accept an instruction; whether it did."""
        if self._unsettled and self._settles_at <= now:
            self._settle(now)
        if now < self._accepts_from:
            return False
        instruction = self._queue.released(now)
        if instruction is None:
            return False
        self._queue.read(now)
        if not self._unsettled:
            self._run.act_buffer.fetches.forget(now)
        self._unsettled.append(self._accepted(instruction, now))
        self._settle(now)
        return True

    def _accepted(self, instruction: Instruction, now: int) -> _Store:
        fields, bus_bytes = instruction.fields, self._run.config.bus_bytes
        rows = tuple(
            tuple(size for _, size in split_bursts(address, beats, bus_bytes))
            for address, beats in requests(instruction, bus_bytes)
        )
        steps = (fields["bank"] + fields["rows"] - 1) // ROW_BANKS if fields["banked"] else fields["rows"] - 1
        end = fields["act_address"] + steps * fields["act_pitch"] + fields["row_bytes"]
        return _Store(now, fields, rows, in_halves(fields["act_address"], end, self._run.config), self._run.config)

    def _settle(self, now: int) -> None:
        """Work out the times of what is not settled; what ends before any fetch that is not known is."""
        next_fetch = max(self._run.act_buffer.next_fetch, now + 2 + FETCH_LATENCY)
        progress = self._settled.copied()
        times = []
        for store in list(self._unsettled):
            self._accepts_from = progress.pass_store(store, self._run.act_buffer.fetches, self._run.memory)
            times.append(progress.retired[-1])
            if len(times) == 1 and progress.read < next_fetch:
                times.clear()
                self._unsettled.popleft()
                self._settled = progress.copied()
                self._run.retirements.retire(Engine.STORE, progress.retired[-1])
        if self._accepts_from > now:
            times.append(self._accepts_from)
        if times:
            self._settles_at = min(times)
            self._run.agenda.visit(self._settles_at)


def _deque(length: int) -> deque[int]:
    return deque([-1] * length, maxlen=length)


@dataclass
class _Progress:
    """How far requests, bursts, beats and answers have come."""

    takes: deque[int]
    """When the memory took the last two beats."""
    last_burst: int = -1
    """When the splitter's last burst left it."""
    found: int = -1
    """When the last beat was found, or the next row taken."""
    tried: int = 0
    """When the last beat was first to be read from the activation buffer."""
    read: int = 0
    """When it was read."""
    refused: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=2))
    """From when until when the activation buffer takes no further beat, since these wait inside."""
    asked: deque[int] = field(default_factory=lambda: _deque(AHEAD))
    """When the last beats were asked for."""
    left: deque[int] = field(default_factory=lambda: _deque(BEAT_BUFFER))
    """When the last beats left the engine's buffer."""
    answers: deque[int] = field(default_factory=lambda: _deque(MAX_OUTSTANDING))
    """When the memory answered the last bursts."""
    retired: deque[int] = field(default_factory=lambda: _deque(IN_FLIGHT))
    """When the last instructions retired."""

    def copied(self) -> _Progress:
        queues = {
            name: getattr(self, name).copy() for name in ("takes", "refused", "asked", "left", "answers", "retired")
        }
        return replace(self, **queues)

    def pass_store(self, store: _Store, fetches: AccessLog, memory: MemoryModel) -> int:
        """Go on to an instruction's end; from when on the next is accepted."""
        requested, beat = store.accepted, 0
        for bursts in store.rows:
            # A row's request is sent when the splitter is free; its beats follow those of the row before.
            requested = max(requested, self.last_burst) + 1
            bursts_from = requested + 1
            row_taken = max(store.accepted + 1, self.found)
            self.found = row_taken
            for size in bursts:
                # A burst in two cycles, and no more in flight than the write port counts.
                self.last_burst = max(bursts_from, self.answers[0] + 2)
                bursts_from = self.last_burst + 2
                self._pass_burst(store, range(beat, beat + size), fetches, memory.cycles_per_beat)
                self.answers.append(max(self.takes[-1] + memory.latency_cycles, self.answers[-1] + 1))
                beat += size
        self.retired.append(self.answers[-1] + 1)
        return max(requested, row_taken, self.retired[0]) + 1

    def _pass_burst(self, store: _Store, beats: range, fetches: AccessLog, interval: int) -> None:
        """A burst's beats are found as soon as there is room for them, read, and taken by the memory in turn."""
        leaves_from = self.last_burst + ADDRESS_LATENCY
        asked = max(self.found + 2, self.asked[-1] + 1)
        last_asked = asked + len(beats) - 1
        first, last = asked + FIND_LATENCY, last_asked + FIND_LATENCY
        if (
            interval == 1
            and self.read < first
            and not any(begin <= asked <= end for begin, end in self.refused)
            and first + READ_LATENCY >= max(leaves_from, self.takes[-1])
            and (
                fetches.is_free(first, last, store.halves)
                or fetches.are_free(first, store.memories[beats.start : beats.stop])
            )
        ):
            # The memory takes each as it comes, so the buffer never fills.
            self.found = max(self.found + len(beats), last_asked - AHEAD + 1)
            self.tried = self.read = last
            self.refused.clear()
            self.asked.extend(range(max(asked, last_asked - AHEAD + 1), last_asked + 1))
            self.left.extend(range(max(first, last - BEAT_BUFFER + 1) + READ_LATENCY, last + READ_LATENCY + 1))
            self.takes.extend(range(max(first, last - 1) + READ_LATENCY + 1, last + READ_LATENCY + 2))
            return
        for beat in beats:
            self.found = max(self.found, self.asked[0]) + 1
            asked = max(self.found + 1, self.asked[-1] + 1, self.left[0] + 1)
            for begin, end in self.refused:
                if begin <= asked <= end:
                    asked = end + 1
            # While the beat before is tried again, this one moves beside it, and the next takes its place.
            self.refused.append((max(asked + 1, self.tried) + 1, self.read))
            self.tried = self.read = max(asked + FIND_LATENCY, self.read + 1)
            if not fetches.is_free(self.read, self.read, store.halves):
                self.read = fetches.first_free(self.read, int(store.memories[beat]))
            left = max(self.read + READ_LATENCY, self.left[-1] + 1, leaves_from, self.takes[0] + 1)
            self.asked.append(asked)
            self.left.append(left)
            self.takes.append(max(left + 1, self.takes[-1] + interval))
