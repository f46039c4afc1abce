# amaranth: UnusedElaboratable=no
"""The queue keeps order, loses nothing and is as fast as Amaranth's own, in every cycle."""

from __future__ import annotations

import pytest
from amaranth.hdl import Module
from amaranth.lib.fifo import SyncFIFO
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.rtl.queue import Queue


@settings(max_examples=20)
@given(depth=st.sampled_from((2, 3, 4, 6, 16)), rounds=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=120))
def test_equals_the_library_s_fifo_in_every_cycle(depth: int, rounds: list[tuple[bool, bool]]) -> None:
    m = Module()
    m.submodules.dut = dut = Queue(8, depth=depth)
    m.submodules.golden = golden = SyncFIFO(width=8, depth=depth)

    async def testbench(ctx) -> None:
        for number, (offers, takes) in enumerate(rounds):
            for payload, valid, ready in (
                (dut.input.payload, dut.input.valid, dut.output.ready),
                (golden.w_data, golden.w_en, golden.r_en),
            ):
                ctx.set(payload, number)
                ctx.set(valid, offers)
                ctx.set(ready, takes)
            assert ctx.get(dut.input.ready) == ctx.get(golden.w_rdy)
            assert ctx.get(dut.output.valid) == ctx.get(golden.r_rdy)
            assert ctx.get(dut.level) == ctx.get(golden.level)
            if ctx.get(golden.r_rdy):
                assert ctx.get(dut.output.payload) == ctx.get(dut.stored) == ctx.get(golden.r_data)
            await ctx.tick()

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("depth", [0, 1])
def test_depths_are_two_or_more(depth: int) -> None:
    with pytest.raises(ValueError, match=f"depth: {depth} is not accepted"):
        Queue(8, depth=depth)
