"""Sequencer: when each instruction has been fetched and reaches its engine's queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwgen.cycles.clock import Queue
from hwgen.cycles.instructions import Instruction
from hwgen.cycles.read_port import Arrival, BurstSplitter
from hwgen.cycles.run import Run
from hwgen.isa import INSTRUCTION_BYTES, INSTRUCTIONS_PER_FETCH, Opcode
from hwgen.program import Engine
from hwgen.rtl.sequencer import ENOUGH_LOADS

BUFFER_LATENCY = 1
"""Cycles from a beat's arrival to its leaving ``hwgen.rtl.queue``."""
SATISFIED_LATENCY = 1
"""Cycles from that in which END's waits are satisfied to that in which the sequencer knows."""
GROUPS_AHEAD = 2
"""Groups of instructions on their way or in the buffer."""


class Sequencer:
    """``hwgen.rtl.sequencer``: fetches groups of instructions, gathers them beat by beat and queues them in order."""

    def __init__(self, run: Run, instructions: Sequence[Instruction], queues: Mapping[Engine, Queue]) -> None:
        self.splitter = BurstSplitter(run.config.bus_bytes)
        self.finished_at: int | None = None
        """The cycle in which the run ends, once known."""
        self._run = run
        self._instructions = instructions
        self._queues = queues
        self._beats_per_instruction = INSTRUCTION_BYTES // run.config.bus_bytes
        self._requested = 0
        """Groups."""
        self._asks_from: int | None = None
        """When the next group's request is offered, where it is to be."""
        self._beats = 0
        """Beats whose arrival is known, and when the last of them leaves the buffer at the earliest."""
        self._last_beat = 0
        self._arrivals: list[int] = []
        """For each instruction, when its last beat leaves the buffer at the earliest."""
        self._next = 0
        """The instruction that is gathered or waits for its queue."""
        self._gathered_at: int | None = None
        """When it is complete, where that is known."""
        self._last_dispatch = 0
        self._ended_at: int | None = None

    def receive(self, first: int, beats: int, now: int) -> Arrival:
        """Part of a group arrives."""
        size, interval = self._beats_per_instruction, self._run.memory.cycles_per_beat
        arrives = first + BUFFER_LATENCY
        position = size - 1 - self._beats % size
        while position < beats:
            self._arrivals.append(arrives + position * interval)
            position += size
        self._beats += beats
        self._last_beat = arrives + (beats - 1) * interval
        self._gather()
        if self._ended_at is not None:
            self._finish(self._ended_at)
        last = first + (beats - 1) * interval
        return Arrival(last, last)

    def step(self, now: int) -> bool:
        """Request a group, pass an instruction on or end, in cycle ``now``; whether it did."""
        requests = self._ask(now) if self._asks_from is None else self._request(now)
        complete = self._ended_at is None and self._gathered_at is not None and self._gathered_at <= now
        return (complete and self._dispatch(now)) or requests

    def _ask(self, now: int) -> bool:
        """Ask for the next group when the one before the last has left the buffer, and few loads wait."""
        gathered = self._gathered_at is not None and self._gathered_at <= now
        ahead = self._requested * INSTRUCTIONS_PER_FETCH - (self._next + gathered)
        busy = (
            ahead > (GROUPS_AHEAD - 1) * INSTRUCTIONS_PER_FETCH or self._queues[Engine.LOAD].level(now) >= ENOUGH_LOADS
        )
        if busy or self._ended_at is not None:
            return False
        self._asks_from = now + 1
        return True

    def _request(self, now: int) -> bool:
        if not self.splitter.is_ready(now):
            return False
        group_bytes = INSTRUCTIONS_PER_FETCH * INSTRUCTION_BYTES
        self.splitter.accept(self._requested * group_bytes, group_bytes // self._run.config.bus_bytes, now)
        self._requested += 1
        self._asks_from = None
        return True

    def _dispatch(self, now: int) -> bool:
        instruction = self._instructions[self._next]
        if instruction.opcode is Opcode.END:
            satisfied = self._run.retirements.reached_from(instruction.waits)
            if satisfied is None:
                return False
            if satisfied >= now:
                self._run.agenda.visit(satisfied + SATISFIED_LATENCY)
                return False
            self._ended_at = now
            self._finish(now)
            return True
        queue = self._queues[instruction.engine]
        if not queue.had_room(now):
            return False
        queue.write(instruction, now)
        self._next += 1
        self._last_dispatch = now
        self._gathered_at = None
        self._gather()
        return True

    def _gather(self) -> None:
        """The next instruction's beats are taken one per cycle, from the cycle in which the last one was passed on."""
        if self._gathered_at is None and self._next < len(self._arrivals):
            earliest = self._last_dispatch + self._beats_per_instruction - 1
            self._gathered_at = max(self._arrivals[self._next], earliest) + 1
            self._run.agenda.visit(self._gathered_at)

    def _finish(self, ended_at: int) -> None:
        """What was fetched beyond END is dropped, a beat per cycle; the run ends when nothing is left."""
        size = self._beats_per_instruction
        requested = self._requested * INSTRUCTIONS_PER_FETCH * size
        if self._asks_from is not None or self._beats < requested:
            return
        rest = requested - (self._next + 1) * size
        self.finished_at = max(ended_at + rest, self._last_beat) + 1 if rest else ended_at + 1
