"""Store engine: when its instructions retire, down to the memory's acknowledgement."""

from __future__ import annotations

from collections import deque

from hwgen.cycles.clock import Agenda, Queue, Retirements
from hwgen.cycles.load_engine import requests
from hwgen.memory_model import MemoryModel
from hwgen.program import Engine
from hwgen.rtl.act_buffer import ActBuffer
from hwgen.rtl.burst_splitter import split_bursts
from hwgen.rtl.store_engine import BEAT_BUFFER
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
        self._idle_from = 0
        self._last_burst = -1
        """When the splitter's last burst left it."""
        self._beats = _Beats(memory.cycles_per_beat)
        self._answers: deque[int] = deque([-1] * MAX_OUTSTANDING, maxlen=MAX_OUTSTANDING)
        """When the memory answered the last bursts."""

    def step(self, now: int) -> bool:
        """Accept an instruction; whether it did."""
        if now < self._idle_from:
            return False
        instruction = self._queue.released(now)
        if instruction is None:
            return False
        self._queue.read(now)
        asks = now + 1
        for address, beats in requests(instruction, self._bus_bytes):
            asks = self._store_row(asks, address, beats)
        self._idle_from = self._answers[-1] + 2
        self._agenda.visit(self._idle_from)
        self._retirements.retire(Engine.STORE, self._idle_from)
        return True

    def _store_row(self, asks: int, address: int, beats: int) -> int:
        """Store a row whose request is offered from cycle ``asks`` on; when the next one's may be."""
        requested = max(asks, self._last_burst)
        self._last_burst = requested
        for _, size in split_bursts(address, beats, self._bus_bytes):
            # One burst per cycle, and no more in flight than the write port counts.
            self._last_burst = max(self._last_burst + 1, self._answers[0] + 1)
            self._beats.pass_burst(requested + 1, self._last_burst + ADDRESS_LATENCY, size)
            self._answers.append(max(self._beats.taken + self._memory.latency_cycles, self._answers[-1] + 1))
        return self._beats.read + 1


class _Beats:
    """Beats on their way from the activation buffer through the engine's buffer to the memory."""

    def __init__(self, interval: int) -> None:
        self.read = -1
        """When the last beat was read."""
        self.taken = -interval
        """When the memory took it."""
        self._interval = interval
        self._reads: deque[int] = deque(maxlen=BEAT_BUFFER)
        self._takes: deque[int] = deque(maxlen=BEAT_BUFFER)

    def pass_burst(self, reads_from: int, takes_from: int, beats: int) -> None:
        """A burst's beats are read from cycle ``reads_from`` on and taken from ``takes_from`` on."""
        first = max(reads_from, self.read + 1)
        if self._interval == 1 and first + READ_LATENCY >= max(takes_from, self.taken + 1):
            # The memory takes each as it comes, so the buffer never fills.
            self.read = first + beats - 1
            self.taken = self.read + READ_LATENCY
            self._reads.extend(range(max(first, self.read - BEAT_BUFFER + 1), self.read + 1))
            self._takes.extend(range(max(first, self.read - BEAT_BUFFER + 1) + READ_LATENCY, self.taken + 1))
            return
        for _ in range(beats):
            self.read = self._room_from(max(reads_from, self.read + 1))
            self.taken = max(self.read + READ_LATENCY, self.taken + self._interval, takes_from)
            self._reads.append(self.read)
            self._takes.append(self.taken)

    def _room_from(self, now: int) -> int:
        """The first cycle from ``now`` on in which the buffer has room for a beat and for those under way."""
        while True:
            arrived = sum(read + ActBuffer.store_latency < now for read in self._reads)
            left = sum(taken < now for taken in self._takes)
            if arrived - left + ActBuffer.store_latency < BEAT_BUFFER:
                return now
            now += 1
