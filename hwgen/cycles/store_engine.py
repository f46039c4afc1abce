"""Store engine: when its instructions retire, down to the memory's acknowledgement."""

from __future__ import annotations

from collections import deque

from hwgen.cycles.clock import Agenda, Queue, Retirements
from hwgen.cycles.load_engine import requests
from hwgen.memory_model import MemoryModel
from hwgen.program import Engine
from hwgen.rtl.act_buffer import ActBuffer
from hwgen.rtl.burst_splitter import split_bursts
from hwgen.rtl.row_beats import AHEAD
from hwgen.rtl.store_engine import BEAT_BUFFER, IN_FLIGHT
from hwgen.rtl.write_port import MAX_OUTSTANDING

READ_LATENCY = ActBuffer.store_latency + 1
"""Cycles from a beat's place to the beat's leaving the engine's buffer."""
ADDRESS_LATENCY = 2
"""Cycles from a burst's acceptance by the write port to the memory's readiness for its first beat."""


class StoreEngine:
    """``hwgen.rtl.store_engine``, the write port and the memory's write channels. Nothing else delays them."""

    def __init__(
        self, queue: Queue, retirements: Retirements, bus_bytes: int, memory: MemoryModel, agenda: Agenda
    ) -> None:
        self._queue = queue
        self._retirements = retirements
        self._bus_bytes = bus_bytes
        self._memory = memory
        self._agenda = agenda
        self._accepts_from = 0
        self._last_burst = -1
        """When the splitter's last burst left it."""
        self._beats = _Beats(memory.cycles_per_beat)
        self._answers: deque[int] = deque([-1] * MAX_OUTSTANDING, maxlen=MAX_OUTSTANDING)
        """When the memory answered the last bursts."""
        self._retired: deque[int] = deque([-1] * IN_FLIGHT, maxlen=IN_FLIGHT)
        """When the last instructions retired."""

    def step(self, now: int) -> bool:
        """Accept an instruction; whether it did."""
        if now < self._accepts_from:
            return False
        instruction = self._queue.released(now)
        if instruction is None:
            return False
        self._queue.read(now)
        requested = now
        for address, beats in requests(instruction, self._bus_bytes):
            # A row's request is sent when the splitter is free; its beats follow those of the row before.
            requested = max(requested + 1, self._last_burst)
            self._last_burst = requested
            row_taken = max(now + 1, self._beats.found)
            self._beats.found = row_taken
            for _, size in split_bursts(address, beats, self._bus_bytes):
                # One burst per cycle, and no more in flight than the write port counts.
                self._last_burst = max(self._last_burst + 1, self._answers[0] + 1)
                self._beats.pass_burst(self._last_burst + ADDRESS_LATENCY, size)
                self._answers.append(max(self._beats.taken + self._memory.latency_cycles, self._answers[-1] + 1))
        self._retired.append(self._answers[-1] + 1)
        self._retirements.retire(Engine.STORE, self._retired[-1])
        self._accepts_from = max(requested, row_taken, self._retired[0])
        self._agenda.visit(self._accepts_from)
        return True


class _Beats:
    """Beats on their way: found, read from the activation buffer, and taken by the memory from the engine's buffer."""

    def __init__(self, interval: int) -> None:
        self.found = -1
        """When the last beat was found, or the next row taken."""
        self.taken = -interval
        """When the memory took the last beat."""
        self._interval = interval
        self._reads: deque[int] = deque([-1] * AHEAD, maxlen=AHEAD)
        self._takes: deque[int] = deque([-1] * BEAT_BUFFER, maxlen=BEAT_BUFFER)

    def pass_burst(self, takes_from: int, beats: int) -> None:
        """A burst's beats are found as soon as there is room for them, and taken from cycle ``takes_from`` on."""
        first = max(self.found + 2, self._reads[-1] + 1)
        if self._interval == 1 and first + READ_LATENCY >= max(takes_from, self.taken + 1):
            # The memory takes each as it comes, so the buffer never fills.
            last = first + beats - 1
            self.found = max(self.found + beats, last - AHEAD + 1)
            self.taken = last + READ_LATENCY
            self._reads.extend(range(max(first, last - AHEAD + 1), last + 1))
            self._takes.extend(range(max(first, last - BEAT_BUFFER + 1) + READ_LATENCY, self.taken + 1))
            return
        for _ in range(beats):
            self.found = max(self.found, self._reads[0]) + 1
            read = max(self.found, self._reads[-1], self._takes[0]) + 1
            self.taken = max(read + READ_LATENCY, self.taken + self._interval, takes_from)
            self._reads.append(read)
            self._takes.append(self.taken)
