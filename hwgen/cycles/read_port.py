"""Read port: which client's burst goes when, and when its data arrive."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hwgen.cycles.clock import Agenda
from hwgen.memory_model import MemoryModel
from hwgen.rtl.burst_splitter import split_bursts
from hwgen.rtl.read_port import MAX_OUTSTANDING


class BurstSplitter:
    """The bursts of one transfer at a time; the next is accepted in the cycle after the last of them has left."""

    def __init__(self, bus_bytes: int) -> None:
        self._bus_bytes = bus_bytes
        self._bursts: deque[int] = deque()
        self._offered_from = 0
        self._last_left = -1

    def is_ready(self, now: int) -> bool:
        """Whether a transfer is accepted."""
        return not self._bursts and self._last_left < now

    def accept(self, address: int, beats: int, now: int) -> None:
        """Take a transfer of ``beats`` from the bus-aligned ``address``; its first burst is offered a cycle later."""
        self._bursts.extend(size for _, size in split_bursts(address, beats, self._bus_bytes))
        self._offered_from = now + 1

    def offers(self, now: int) -> bool:
        return bool(self._bursts) and self._offered_from <= now

    def take(self, now: int) -> int:
        """Beats of the burst that leaves."""
        self._last_left = now
        return self._bursts.popleft()


@dataclass(frozen=True)
class Arrival:
    """A burst has arrived."""

    offered: int
    """When the memory offered its last beat."""
    taken: int
    """When the client took it."""

    def next_offer(self, interval: int) -> int:
        """When the memory offers the beat after it at the earliest."""
        return max(self.offered + interval, self.taken + 1)


class Reader(Protocol):
    """A client of the read port."""

    splitter: BurstSplitter

    def receive(self, first: int, beats: int, now: int) -> Arrival | None:
        """A burst's beats are offered from cycle ``first`` on; None where not all that delays them is known yet."""


class ReadPort:
    """``hwgen.rtl.read_port`` and the memory's read channel: one burst per cycle, earlier clients first."""

    def __init__(self, clients: Sequence[Reader], memory: MemoryModel, agenda: Agenda) -> None:
        self._clients = clients
        self._memory = memory
        self._agenda = agenda
        self._coming: deque[tuple[Reader, int, int]] = deque()
        """Client, beats and first beat's earliest cycle of the bursts that are not known to arrive yet."""
        self._last_beats: deque[int] = deque()
        """When those that are known to arrive end."""
        self._next_beat = 0

    def step(self, now: int) -> bool:
        """Deliver what is known to arrive and let a burst go in cycle ``now``; whether one did."""
        # That a burst has ended is known two cycles after its last beat.
        while self._last_beats and self._last_beats[0] < now - 1:
            self._last_beats.popleft()
        self._deliver(now)
        if len(self._coming) + len(self._last_beats) == MAX_OUTSTANDING:
            return False
        for client in self._clients:
            if client.splitter.offers(now):
                # The address is registered: the memory sees it a cycle later.
                due = now + 1 + self._memory.latency_cycles
                self._coming.append((client, client.splitter.take(now), due))
                self._deliver(now)
                return True
        return False

    def _deliver(self, now: int) -> None:
        while self._coming:
            client, beats, due = self._coming[0]
            arrival = client.receive(max(due, self._next_beat), beats, now)
            if arrival is None:
                return
            self._coming.popleft()
            self._next_beat = arrival.next_offer(self._memory.cycles_per_beat)
            self._last_beats.append(arrival.taken)
            self._agenda.visit(arrival.taken + 2)
