"""A run of equal blocks is not walked block by block, and ends as if it were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hwgen.cycles.blocks import Block, PipelineState, Repeated, run_blocks

cycles = st.integers(0, 60)
states = st.builds(PipelineState, array=cycles, drain=cycles, banks=st.tuples(cycles, cycles))
blocks = st.builds(Block, steps=st.integers(1, 40), drain=st.integers(1, 40), count=st.integers(1, 12))
repeated = st.builds(Repeated, st.lists(blocks, min_size=1, max_size=3).map(tuple), st.integers(1, 9))


def walked(state: PipelineState, parts: list[Repeated], latency: int) -> PipelineState:
    """One block at a time: it starts when the array and a bank are free, and is drained after the one before."""
    for part in parts:
        for block in part.blocks * part.times:
            for _ in range(block.count):
                array = max(state.array, state.banks[0]) + block.steps
                drain = max(array - 1 + latency, state.drain) + block.drain
                state = PipelineState(array, drain, (state.banks[1], drain))
    return state


@given(states, st.lists(repeated, max_size=3), st.integers(1, 30))
def test_runs_of_blocks_end_as_if_walked_one_by_one(state: PipelineState, parts: list[Repeated], latency: int) -> None:
    assert run_blocks(state, parts, latency) == walked(state, parts, latency)
