"""Blocks of output pixels on their way through the array and the drain.

A pixel takes a partial sum as the array comes to it, and gives it back as the drain takes its results. All times of a
block follow from those before it by sums and maxima alone, so a shift of all of them shifts its own by as much: once a
run of equal blocks only shifts them, the rest of the run need not be walked block by block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.config import AcceleratorConfig
from hwgen.rtl.mac_sequencer import MacSequencer


@dataclass(frozen=True)
class Pass:
    """A chunk of the reduction on every pixel of a block."""

    first: int
    """Cycles of the block's first pixel."""
    others: int
    """Cycles of each pixel after it."""

    def cycles(self, pixels: int) -> np.ndarray:
        """int64 [pixels]: those of each pixel."""
        cycles = np.full(pixels, self.others, np.int64)
        cycles[0] = self.first
        return cycles


@dataclass(frozen=True)
class Reduction:
    """The passes over a block."""

    opening: Pass
    """The first, in which pixels take their partial sums; those between are like it."""
    between: int
    completing: Pass | None
    """The last, which completes the pixels; None where the first does."""


@dataclass(frozen=True)
class Block:
    """Equal blocks, one after the other."""

    pixels: int
    reduction: Reduction
    drain: int
    """Cycles of the drain per pixel."""
    count: int


@dataclass(frozen=True)
class Repeated:
    """Blocks in order, ``times`` times over."""

    blocks: tuple[Block, ...]
    times: int


@dataclass(frozen=True, eq=False)
class PipelineState:
    """The cycles from which each resource is free."""

    array: int
    drain: int
    slots: np.ndarray
    """int64 [partial sums], of each in the order in which pixels take them: when it has been drained."""

    def shifted(self, cycles: int) -> PipelineState:
        return PipelineState(self.array + cycles, self.drain + cycles, self.slots + cycles)

    def equals(self, other: PipelineState) -> bool:
        same = self.array == other.array and self.drain == other.drain
        return same and bool(np.array_equal(self.slots, other.slots))


def mac_blocks(fields: Mapping[str, int], config: AcceleratorConfig) -> list[Repeated]:
    """The blocks of a MAC instruction: group by group, and where the window slides also row by row."""
    width, height = fields["out_width"], fields["out_height"]
    run, runs = (width, height) if fields["slide"] else (width * height, 1)
    full, rest = divmod(run, config.block_pixels)
    reduction = _reduction(fields)
    repeated = []
    for channels, groups in ((fields["group_channels"], fields["groups"] - 1), (fields["last_channels"], 1)):
        words = -(-channels // config.requant_lanes)
        sizes = [(config.block_pixels, full), (rest, 1 if rest else 0)]
        blocks = tuple(Block(pixels, reduction, words, count) for pixels, count in sizes if count)
        if groups:
            repeated.append(Repeated(blocks, groups * runs))
    return repeated


def _reduction(fields: Mapping[str, int]) -> Reduction:
    """A pass per chunk; where the window slides, pixels after the first take only the columns that are new."""
    steps, columns, chunk = fields["kernel_steps"] * fields["segment_steps"], fields["columns"], fields["chunk_steps"]
    if fields["slide"]:
        chunks, whole, rest = steps, Pass(columns, columns - fields["next_column"]), 0
    else:
        chunks, rest = divmod(steps * columns, chunk)
        whole = Pass(chunk, chunk)
    if rest:
        last = Pass(rest, rest)
        return Reduction(whole, chunks - 1, last) if chunks else Reduction(last, 0, None)
    return Reduction(whole, chunks - 2, whole) if chunks > 1 else Reduction(whole, 0, None)


def run_blocks(state: PipelineState, repeated: Sequence[Repeated], latency: int) -> PipelineState:
    """The state after blocks whose pixels each take a partial sum and are drained.

    ``latency`` is from a pixel's last step to its drain's first cycle.
    """
    for part in repeated:
        for done in range(1, part.times + 1):
            before = state
            for block in part.blocks:
                state = _run_equal(state, block, latency)
            shift = state.array - before.array
            if state.equals(before.shifted(shift)):
                state = state.shifted(shift * (part.times - done))
                break
    return state


def pixel_cycles(state: PipelineState, repeated: Sequence[Repeated], latency: int) -> tuple[np.ndarray, np.ndarray]:
    """int64 [pixels] each: the cycles in which the array and the drain begin each pixel of what ``run_blocks`` runs."""
    entered, drained = [], []
    for block in (block for part in repeated for _ in range(part.times) for block in part.blocks):
        for _ in range(block.count):
            entered.append(_entered(state, block))
            state = _drained(state, block, _completed(block, entered[-1]), latency)
            drained.append(state.slots[-block.pixels :] - block.drain)
    return np.concatenate(entered), np.concatenate(drained)


def _run_equal(state: PipelineState, block: Block, latency: int) -> PipelineState:
    for done in range(1, block.count + 1):
        before = state
        state = _drained(state, block, _completed(block, _entered(state, block)), latency)
        shift = state.array - before.array
        if state.equals(before.shifted(shift)):
            return state.shifted(shift * (block.count - done))
    return state


def run_slice(state: PipelineState, block: Block, latency: int, *, accumulate: bool, hold: bool) -> PipelineState:
    """The state after a block of a slice of the reduction: partial sums are taken in the first, drained in the last."""
    completed = _completed(block, _slice_entered(state, block, accumulate))
    if not hold:
        return _drained(state, block, completed, latency)
    last = int(completed[-1])
    return PipelineState(last + 1, max(last + latency, state.drain) + 1, state.slots)


def slice_cycles(
    state: PipelineState, block: Block, latency: int, *, accumulate: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The same as ``pixel_cycles`` of a slice that is not held; of one that is, the array's are true."""
    entered = _slice_entered(state, block, accumulate)
    after = _drained(state, block, _completed(block, entered), latency)
    return entered, after.slots[-block.pixels :] - block.drain


def _slice_entered(state: PipelineState, block: Block, accumulate: bool) -> np.ndarray:
    return _entered(replace(state, slots=np.zeros_like(state.slots)) if accumulate else state, block)


def _entered(state: PipelineState, block: Block) -> np.ndarray:
    """int64 [pixels]: the cycles of the pixels' first steps, each when its partial sum is free."""
    cycles = block.reduction.opening.cycles(block.pixels)
    before = np.cumsum(cycles) - cycles
    free = state.slots[: block.pixels] + MacSequencer.return_latency
    return before + np.maximum.accumulate(np.maximum(free - before, state.array))


def _completed(block: Block, entered: np.ndarray) -> np.ndarray:
    """int64 [pixels]: the cycles of the pixels' last steps."""
    reduction, pixels = block.reduction, block.pixels
    opening = reduction.opening.cycles(pixels)
    if reduction.completing is None:
        return entered + opening - 1
    start = entered[-1] + opening[-1] + reduction.between * opening.sum()
    return start + np.cumsum(reduction.completing.cycles(pixels)) - 1


def _drained(state: PipelineState, block: Block, completed: np.ndarray, latency: int) -> PipelineState:
    """The state after a block's pixels, whose last steps are in the cycles ``completed``."""
    before = np.arange(block.pixels) * block.drain
    starts = before + np.maximum.accumulate(np.maximum(completed + latency - before, state.drain))
    ends = starts + block.drain
    slots = np.concatenate([state.slots[block.pixels :], ends])
    return PipelineState(int(completed[-1]) + 1, int(ends[-1]), slots)
