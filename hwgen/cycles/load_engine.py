"""Load engine: when its requests leave and when its instructions retire."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import inf

import numpy as np

from hwgen.cycles.clock import Queue
from hwgen.cycles.compute_engine import WRITE_LATENCY
from hwgen.cycles.instructions import Instruction
from hwgen.cycles.memories import load_memories
from hwgen.cycles.read_port import Arrival, BurstSplitter
from hwgen.cycles.run import Run
from hwgen.isa import Opcode
from hwgen.program import Engine
from hwgen.rtl.load_engine import DESCRIPTORS


class LoadEngine:
    """``hwgen.rtl.load_engine``: requests run ahead of the data, by as many instructions as there are descriptors."""

    def __init__(self, run: Run, queue: Queue, computations: Queue) -> None:
        self.splitter = BurstSplitter(run.config.bus_bytes)
        self._run = run
        self._queue = queue
        self._computations = computations
        self._memories: deque[np.ndarray | None] = deque()
        """The memories that each beat of the instructions in flight touches; None where they are words."""
        self._received = 0
        """Beats that the first burst has delivered, where it is not yet known to the end."""
        self._arrival: Arrival | None = None
        """The last of them."""
        self._places: tuple[int, int] | None = None
        """When the last beat was taken, and the memories that it touches, where it is not known when it is in its
        place."""
        self._behind = 0
        """Cycles after it until the burst's last beat: nothing depends on when those between are in their places."""
        self._placed = -1
        """When the last beat of which it is known is in its place, less one."""
        self._finishing = False
        """The last beat is its instruction's last, and not known to be in its place."""
        self._requests: deque[tuple[int, int]] = deque()
        """(address, beats) of the current instruction's requests that have not left."""
        self._requests_from = 0
        self._awaited: deque[int] = deque()
        """Beats that each instruction in flight still awaits."""
        self._accepted: deque[int] = deque()
        """When the instructions in flight whose descriptor is in the queue were accepted."""
        self._descriptor_reads: deque[int] = deque()
        """When descriptors leave their queue, as far as that is known and not long past."""

    def receive(self, first: int, beats: int, now: int) -> Arrival | None:
        """A burst of the first instruction in flight: words as they come, activations as the buffer takes them."""
        memories, interval = self._memories[0], self._run.memory.cycles_per_beat
        while self._received < beats:
            if not self._is_placed(now):
                return None
            # The engine takes a beat when the one before is in its place.
            offered = first if self._arrival is None else self._arrival.next_offer(interval)
            taken = max(offered, self._placed + 1)
            places = None if memories is None else memories[memories.size - self._awaited[0] :][self._received : beats]
            passing = beats - self._received if places is None else self._unhindered(taken, places, now)
            if passing and (interval == 1 or offered == taken):
                self._placed = taken + (passing - 1) * interval
                self._arrival = Arrival(self._placed, self._placed)
                self._received += passing
                self._run.act_buffer.results.forget(self._placed)
                continue
            self._arrival = Arrival(offered, taken)
            self._received += 1
            if places is None:
                self._placed = taken
            else:
                self._places = taken, int(places[0])
                self._behind = (beats - self._received) * interval
        arrival, self._arrival, self._received = self._arrival, None, 0
        self._awaited[0] -= beats
        if self._awaited[0] == 0:
            self._awaited.popleft()
            self._memories.popleft()
            self._finishing = True
            self._is_placed(now)
        return arrival

    def _unhindered(self, first: int, memories: np.ndarray, now: int) -> int:
        """How many beats, that touch ``memories`` from cycle ``first`` on, are known to be in their places at once."""
        interval, known_until = self._run.memory.cycles_per_beat, self._known_until(now)
        if known_until < first + (memories.size - 1) * interval:
            memories = memories[: max(0, (int(known_until) - first) // interval + 1)]
        return self._run.act_buffer.results.free_beats(first, interval, memories)

    def _known_until(self, now: int) -> float:
        """Until when all results are known: what is not begun has none earlier."""
        if self._computations.awaits(Engine.LOAD):
            return inf  # it begins after the instruction that is received
        return max(self._run.act_buffer.next_result - 1, now + WRITE_LATENCY)

    def _is_placed(self, now: int) -> bool:
        """Whether it is known when the last beat that was taken is in its place; the instruction ends with its last."""
        if self._places is not None:
            placed = self._run.act_buffer.results.first_free(*self._places)
            if placed > self._known_until(now):
                self._run.agenda.visit(placed + self._behind - WRITE_LATENCY)
                return False
            self._placed, self._places = placed, None
            self._run.act_buffer.results.forget(placed)
        if self._finishing:
            self._finishing = False
            self._run.retirements.retire(Engine.LOAD, self._placed + 1)
            self._read_descriptor()
        return True

    def step(self, now: int) -> bool:
        """Send a request, accept an instruction; whether it did."""
        self._is_placed(now)
        sent = bool(self._requests) and self._requests_from <= now and self.splitter.is_ready(now)
        if sent:
            self.splitter.accept(*self._requests.popleft(), now)
        # That there is room is known in the cycle after.
        if sent or self._requests or not self._has_descriptor(now - 1):
            return sent
        instruction = self._queue.released(now)
        if instruction is None:
            return sent
        self._queue.read(now)
        self._requests.extend(requests(instruction, self._run.config.bus_bytes))
        self._requests_from = now + 1
        self._awaited.append(sum(beats for _, beats in self._requests))
        is_act = instruction.opcode is Opcode.LOAD_ACT
        self._memories.append(load_memories(instruction.fields, self._run.config) if is_act else None)
        self._accepted.append(now)
        if len(self._awaited) == 1:
            self._read_descriptor()
        return True

    def _read_descriptor(self) -> None:
        """The first descriptor leaves its queue as the instruction before it finishes."""
        if self._accepted:
            read = max(self._accepted.popleft() + 1, self._placed)
            self._descriptor_reads.append(read)
            self._run.agenda.visit(read + 2)

    def _has_descriptor(self, now: int) -> bool:
        """Whether the queue of descriptors has room, in a cycle that is no earlier than the last that was asked."""
        while self._descriptor_reads and self._descriptor_reads[0] < now:
            self._descriptor_reads.popleft()
        return len(self._accepted) + len(self._descriptor_reads) < DESCRIPTORS


def requests(instruction: Instruction, bus_bytes: int) -> Iterator[tuple[int, int]]:
    """(bus-aligned address, beats) of a transfer's requests: one per row of activations, one for all words."""
    fields = instruction.fields
    if instruction.opcode not in (Opcode.LOAD_ACT, Opcode.STORE):
        yield fields["dram_offset"], fields["beats"]
        return
    for row in range(fields["rows"]):
        address = fields["dram_offset"] + row * fields["dram_pitch"]
        start = address % bus_bytes
        yield address - start, -(-(start + fields["row_bytes"]) // bus_bytes)
