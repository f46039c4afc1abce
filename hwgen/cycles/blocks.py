"""Blocks of output pixels on their way through the array and the drain.

The array works on one block while the drain empties the one before. When a block starts, issues its last step and is
drained depends on the two blocks before it by sums and maxima alone, so a shift of all those times shifts its own by as
much: once a run of equal blocks only shifts them, the rest of the run need not be walked block by block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwgen.config import AcceleratorConfig


@dataclass(frozen=True)
class Block:
    """Equal blocks, one after the other."""

    steps: int
    """Cycles of the array."""
    drain: int
    """Cycles of the drain."""
    count: int


@dataclass(frozen=True)
class Repeated:
    """Blocks in order, ``times`` times over."""

    blocks: tuple[Block, ...]
    times: int


@dataclass(frozen=True)
class PipelineState:
    """The cycles from which each resource is free."""

    array: int
    drain: int
    banks: tuple[int, int]
    """Of the partial sums; the next block takes the first."""

    def shifted(self, cycles: int) -> PipelineState:
        first, second = self.banks
        return PipelineState(self.array + cycles, self.drain + cycles, (first + cycles, second + cycles))


def mac_blocks(fields: Mapping[str, int], config: AcceleratorConfig) -> list[Repeated]:
    """The blocks of a MAC instruction: group by group, and where the window slides also row by row."""
    width, height = fields["out_width"], fields["out_height"]
    run, runs = (width, height) if fields["slide"] else (width * height, 1)
    full, rest = divmod(run, config.block_pixels)
    repeated = []
    for channels, groups in ((fields["group_channels"], fields["groups"] - 1), (fields["last_channels"], 1)):
        words = -(-channels // config.requant_lanes)
        sizes = [(config.block_pixels, full), (rest, 1 if rest else 0)]
        blocks = tuple(Block(_steps(fields, pixels), pixels * words, count) for pixels, count in sizes if count)
        if groups:
            repeated.append(Repeated(blocks, groups * runs))
    return repeated


def _steps(fields: Mapping[str, int], pixels: int) -> int:
    """Array cycles of a block; where the window slides, those of columns that the pixel before had are left out."""
    columns, shared_columns = fields["columns"], fields["next_column"] if fields["slide"] else 0
    return fields["kernel_steps"] * fields["segment_steps"] * (pixels * columns - (pixels - 1) * shared_columns)


def run_blocks(state: PipelineState, repeated: Sequence[Repeated], latency: int) -> PipelineState:
    """The state after blocks that each take a bank of the partial sums and are drained.

    ``latency`` is from a block's last step to its drain's first cycle.
    """
    for part in repeated:
        for done in range(1, part.times + 1):
            before = state
            for block in part.blocks:
                state = _run_equal(state, block, latency)
            shift = state.array - before.array
            if state == before.shifted(shift):
                state = state.shifted(shift * (part.times - done))
                break
    return state


def _run_equal(state: PipelineState, block: Block, latency: int) -> PipelineState:
    for done in range(1, block.count + 1):
        before = state
        array = max(state.array, state.banks[0]) + block.steps
        drain = max(array - 1 + latency, state.drain) + block.drain
        state = PipelineState(array, drain, (state.banks[1], drain))
        shift = array - before.array
        if state == before.shifted(shift):
            return state.shifted(shift * (block.count - done))
    return state


def run_slice(state: PipelineState, block: Block, latency: int, *, accumulate: bool, hold: bool) -> PipelineState:
    """The state after one block of a reduction in slices: the first takes a bank, the last is drained."""
    start = state.array if accumulate else max(state.array, state.banks[0])
    array = start + block.steps
    arrived = max(array - 1 + latency, state.drain)
    if hold:
        return PipelineState(array, arrived + 1, state.banks)
    drain = arrived + block.drain
    return PipelineState(array, drain, (state.banks[1], drain))
