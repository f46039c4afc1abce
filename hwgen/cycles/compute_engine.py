"""Compute engine: when its instructions are dispatched and when their results are in the activation buffer."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import cache, partial

import numpy as np

from hwgen.config import ROW_BANKS
from hwgen.cycles.act_buffer import Accesses, Walk
from hwgen.cycles.blocks import PipelineState, mac_blocks, pixel_cycles, run_blocks, run_slice, slice_cycles
from hwgen.cycles.clock import Queue
from hwgen.cycles.fetches import add_fetches, add_halves, mac_fetches, mac_halves
from hwgen.cycles.instructions import Instruction
from hwgen.cycles.memories import add_results, in_halves, mac_results
from hwgen.cycles.run import Run
from hwgen.isa import Opcode
from hwgen.program import Engine
from hwgen.rtl import act_buffer as rtl
from hwgen.rtl.compute_engine import DESCRIPTORS
from hwgen.rtl.eltwise_adder import EltwiseAdder
from hwgen.rtl.mac_sequencer import MacSequencer
from hwgen.rtl.multiplier_array import array_latency
from hwgen.rtl.operand_stage import OperandStage
from hwgen.rtl.requantise import RequantiseLane

ADD_SEQUENCER_LATENCY = 2
"""Cycles from a position to its step."""
OPERANDS = 2
"""Of an addition; they pass the adder in turn."""
WRITE_LATENCY = RequantiseLane.latency + rtl.ActBuffer.meeting_latency
"""Cycles from the drain's taking sums to the cycle in which a load may meet their results on the way."""
FETCH_LATENCY = MacSequencer.latency + 1
"""Cycles from a step's leaving the loops to the cycle in which its operands are read; an addition's are no fewer."""
RETIRE_LATENCY = RequantiseLane.latency + 1
"""Cycles from the drain's taking the last sums to its retiring the instruction."""


class ComputeEngine:
    """``hwgen.rtl.compute_engine``: nothing from outside delays an instruction that it has begun."""

    def __init__(self, run: Run, queue: Queue) -> None:
        self._run = run
        self._queue = queue
        self._pixel_latency = MacSequencer.latency + OperandStage.latency + array_latency(run.config) + 1
        """Cycles from a pixel's last step to its drain's first cycle."""
        self._state = PipelineState(array=0, drain=0, slots=np.zeros(run.config.partial_sums, np.int64))
        self._accepts_at: int | None = None
        """When the addition that was announced is accepted."""
        self._array_free = 0
        """From when on a MAC may be accepted."""
        self._adder_free = 0
        """From when on an addition may be announced, as far as the additions before it go."""
        self._descriptor_reads: deque[int] = deque([-1] * DESCRIPTORS, maxlen=DESCRIPTORS)
        """When the drain took the last descriptors."""
        self._drain_free = -1
        """When the drain takes the last results of what it was given."""

    def step(self, now: int) -> bool:
        """Announce or accept an instruction; whether it did."""
        if self._accepts_at is not None:
            if now < self._accepts_at:
                return False
            self._queue.read(now)
            self._accepts_at = None
            return True
        if now <= self._descriptor_reads[0]:
            return False
        instruction = self._queue.released(now)
        if instruction is None:
            return False
        if instruction.opcode is Opcode.ADD:
            return self._announce_add(instruction, now)
        if now < self._array_free:
            return False
        self._queue.read(now)
        self._run_mac(instruction, now)
        return True

    def _run_mac(self, instruction: Instruction, now: int) -> None:
        fields, latency = instruction.fields, self._pixel_latency
        state = replace(self._state, array=now + 1, drain=self._read_descriptor(now) + 1)
        blocks = mac_blocks(fields, self._run.config)
        accumulate, hold = bool(fields["accumulate"]), bool(fields["hold"])
        if hold or accumulate:
            block = blocks[0].blocks[0]
            self._state = run_slice(state, block, latency, accumulate=accumulate, hold=hold)
            cycles = cache(partial(slice_cycles, state, block, latency, accumulate=accumulate))
        else:
            self._state = run_blocks(state, blocks, latency)
            cycles = cache(partial(pixel_cycles, state, blocks, latency))
        # The next is accepted in the cycle of the last step; an addition is announced after it.
        self._array_free = self._state.array - 1
        self._adder_free = max(self._adder_free, self._state.array)
        self._run.agenda.visit(self._array_free)
        self._run.agenda.visit(self._adder_free)
        self._finish(self._state.drain - 1)
        first_fetch = now + 1 + FETCH_LATENCY
        last_fetch = self._array_free + FETCH_LATENCY
        halves = mac_halves(fields, self._run.config)
        self._fetch(
            first_fetch, last_fetch, halves, lambda: mac_fetches(fields, cycles()[0] + FETCH_LATENCY, self._run.config)
        )
        if not hold:
            row_bytes = (fields["out_width"] - 1) * fields["out_step"] + fields["groups"] * fields["group_channels"]
            span = (fields["out_bank"] + fields["out_height"] - 1) // ROW_BANKS * fields["out_pitch"] + row_bytes
            self._write(
                now,
                fields["out_address"],
                span,
                lambda: mac_results(fields, cycles()[1] + WRITE_LATENCY, self._run.config),
            )

    def _announce_add(self, instruction: Instruction, now: int) -> bool:
        """An addition bypasses the register file, so it starts only when the drain has come to it."""
        if now < self._adder_free:
            return False
        accepted = self._read_descriptor(now) + 1
        self._accepts_at = accepted
        self._run.agenda.visit(accepted)
        vectors = instruction.fields["rows"] * -(-instruction.fields["row_elements"] // self._run.config.eltwise_lanes)
        issued = accepted + OPERANDS * vectors
        self._array_free = issued + 1
        self._run.agenda.visit(self._array_free)
        finished = issued + ADD_SEQUENCER_LATENCY + OperandStage.latency + EltwiseAdder.latency
        self._adder_free = finished + 1
        self._run.agenda.visit(self._adder_free)
        self._finish(finished)
        fields = instruction.fields
        first_fetch = accepted + 1 + ADD_SEQUENCER_LATENCY + 1
        last_fetch = issued + ADD_SEQUENCER_LATENCY + 1
        halves = add_halves(fields, self._run.config)
        self._fetch(first_fetch, last_fetch, halves, lambda: add_fetches(fields, first_fetch, self._run.config))
        first_result = finished - OPERANDS * (vectors - 1) + WRITE_LATENCY
        span = (fields["rows"] - 1) // ROW_BANKS * fields["pitch"] + fields["row_elements"]
        self._write(
            first_result,
            fields["out_address"],
            span,
            lambda: add_results(fields, first_result, OPERANDS, self._run.config),
        )
        return True

    def _fetch(self, first: int, last: int, halves: int, walk: Walk) -> None:
        """Announce an instruction's fetches."""
        self._run.act_buffer.fetches.add(Accesses(first, last, halves, walk))
        self._run.act_buffer.next_fetch = self._array_free + 1 + FETCH_LATENCY

    def _write(self, first: int, address: int, span: int, walk: Walk) -> None:
        """Announce an instruction's results, which the drain takes until ``_drain_free``."""
        halves = in_halves(address, address + span, self._run.config)
        self._run.act_buffer.results.add(Accesses(first, self._drain_free + WRITE_LATENCY, halves, walk))

    def _read_descriptor(self, now: int) -> int:
        """When the drain, idle for a cycle before it does, takes the descriptor that is written in cycle ``now``."""
        read = max(now + 1, self._drain_free + 1)
        self._descriptor_reads.append(read)
        self._run.agenda.visit(read + 1)
        return read

    def _finish(self, drained: int) -> None:
        self._drain_free = drained
        self._run.act_buffer.next_result = drained + WRITE_LATENCY + 1
        self._run.retirements.retire(Engine.COMPUTE, drained + RETIRE_LATENCY)
