"""What the engines of the cycle model share: the agenda of cycles to visit, queues and counts of what has retired.

Cycles are counted from the first in which the accelerator runs. What a register takes at the end of a cycle is seen in
the next: an entry written to a queue in cycle t is readable in t + 1, as in ``amaranth.lib.fifo.SyncFIFO``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush

from hwgen.cycles.instructions import Instruction
from hwgen.program import Engine
from hwgen.rtl.instruction_gate import InstructionGate
from hwgen.rtl.sequencer import QUEUE_DEPTH


class Agenda:
    """Cycles in which something may happen."""

    def __init__(self) -> None:
        self._cycles: list[int] = []

    def visit(self, cycle: int) -> None:
        """Have ``cycle`` visited."""
        heappush(self._cycles, cycle)

    def after(self, now: int) -> int | None:
        """The next cycle after ``now``, None where there is none."""
        while self._cycles and self._cycles[0] <= now:
            heappop(self._cycles)
        return self._cycles[0] if self._cycles else None


class Retirements:
    """The cycles in which each engine retires its instructions; they may be known before they come."""

    def __init__(self, agenda: Agenda) -> None:
        self.cycles: tuple[list[int], ...] = tuple([] for _ in Engine)
        """By engine."""
        self._agenda = agenda

    def retire(self, engine: Engine, cycle: int) -> None:
        """An engine's next instruction retires in ``cycle``."""
        self.cycles[engine].append(cycle)
        self._agenda.visit(cycle + 1)

    def reached_from(self, waits: Sequence[int]) -> int | None:
        """From which cycle on every engine has retired as many as ``waits`` names; None where not yet known."""
        cycle = 0
        for retired, count in zip(self.cycles, waits, strict=True):
            if count > len(retired):
                return None
            if count:
                cycle = max(cycle, retired[count - 1] + 1)
        return cycle


class Queue:
    """An engine's queue of instructions, and the gate behind it that holds each back until its waits are satisfied."""

    def __init__(self, retirements: Retirements, agenda: Agenda) -> None:
        self._retirements = retirements
        self._agenda = agenda
        self._entries: deque[tuple[int, Instruction]] = deque()
        self._last_read = -1
        self._released_from: int | None = None
        """When the first instruction may go, where that is known."""

    def level(self, now: int) -> int:
        """Places taken before ``now``; the first instruction has left its own where the gate holds it."""
        return len(self._entries) - (bool(self._entries) and self._held_from() < now)

    def had_room(self, now: int) -> bool:
        """Whether an instruction may be written: there was room a cycle ago, and none was written since."""
        if self.level(now - 1) < QUEUE_DEPTH:
            return True
        if self.level(now) < QUEUE_DEPTH:
            self._agenda.visit(now + 1)
        return False

    def write(self, instruction: Instruction, now: int) -> None:
        """Append an instruction, readable from the next cycle on."""
        self._entries.append((now, instruction))
        if len(self._entries) == 1:
            self._agenda.visit(self._held_from() + 1)

    def released(self, now: int) -> Instruction | None:
        """The first instruction, where it waits for nothing."""
        if not self._entries:
            return None
        _, instruction = self._entries[0]
        if self._released_from is None:
            satisfied = self._retirements.reached_from(instruction.waits)
            if satisfied is None:
                return None
            compared = self._held_from() + InstructionGate.arrival_latency
            self._released_from = max(compared, satisfied) + InstructionGate.latency
            self._agenda.visit(self._released_from)
        return instruction if self._released_from <= now else None

    def awaits(self, engine: Engine) -> bool:
        """Whether the first instruction waits for one that ``engine`` is not known to retire."""
        return bool(self._entries) and self._entries[0][1].waits[engine] > len(self._retirements.cycles[engine])

    def _held_from(self) -> int:
        """The cycle in which the gate, empty, takes the first instruction."""
        written, _ = self._entries[0]
        return max(written, self._last_read) + 1

    def read(self, now: int) -> None:
        """Take the first instruction."""
        self._entries.popleft()
        self._last_read = now
        self._released_from = None
        if self._entries:
            self._agenda.visit(self._held_from() + 1)
