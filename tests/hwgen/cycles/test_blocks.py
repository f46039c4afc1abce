"""A run of equal blocks is not walked block by block, and ends as if it were walked pixel by pixel."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwgen.cycles.blocks import Block, Pass, PipelineState, Reduction, Repeated, run_blocks
from hwgen.rtl.mac_sequencer import MacSequencer

PARTIAL_SUMS = 10

cycles = st.integers(0, 60)
slots = st.lists(cycles, min_size=PARTIAL_SUMS, max_size=PARTIAL_SUMS).map(lambda values: np.array(sorted(values)))
states = st.builds(PipelineState, array=cycles, drain=cycles, slots=slots)
passes = st.builds(Pass, first=st.integers(1, 6), others=st.integers(1, 6))
reductions = st.one_of(
    st.builds(Reduction, passes, st.just(0), st.none()), st.builds(Reduction, passes, st.integers(0, 3), passes)
)
blocks = st.builds(Block, st.integers(1, PARTIAL_SUMS // 2), reductions, st.integers(1, 9), st.integers(1, 12))
repeated = st.builds(Repeated, st.lists(blocks, min_size=1, max_size=3).map(tuple), st.integers(1, 9))


def walked(state: PipelineState, parts: list[Repeated], latency: int) -> PipelineState:
    """One pixel at a time: it enters when the array and a partial sum are free, and is drained after the one before."""
    now, drain, free = state.array, state.drain, list(state.slots)
    for part in parts:
        for block in part.blocks * part.times:
            reduction = block.reduction
            later = [reduction.opening] * reduction.between + [reduction.completing] * bool(reduction.completing)
            for _ in range(block.count):
                completed = []
                for number, chunk in enumerate([reduction.opening, *later]):
                    for pixel in range(block.pixels):
                        now = max(now, free.pop(0) + MacSequencer.return_latency) if number == 0 else now
                        now += chunk.others if pixel else chunk.first
                        completed += [now - 1] * (number == len(later))
                for cycle in completed:
                    drain = max(cycle + latency, drain) + block.drain
                    free.append(drain)
    return PipelineState(now, drain, np.array(free))


@given(states, st.lists(repeated, max_size=3), st.integers(1, 30))
def test_runs_of_blocks_end_as_if_walked_pixel_by_pixel(
    state: PipelineState, parts: list[Repeated], latency: int
) -> None:
    assert run_blocks(state, parts, latency).equals(walked(state, parts, latency))
