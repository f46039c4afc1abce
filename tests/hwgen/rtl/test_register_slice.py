# amaranth: UnusedElaboratable=no
"""A register slice keeps order and loses nothing, and each side knows at the start of a cycle whether it may go on."""

from __future__ import annotations

from collections import deque

from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.rtl.register_slice import RegisterSlice

PLACES = 2


@settings(max_examples=40)
@given(rounds=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_is_a_queue_of_two(rounds: list[tuple[bool, bool]]) -> None:
    dut = RegisterSlice(8)

    async def testbench(ctx) -> None:
        held: deque[int] = deque()
        for number, (offers, takes) in enumerate(rounds):
            ctx.set(dut.input.payload, number)
            ctx.set(dut.input.valid, offers)
            ctx.set(dut.output.ready, takes)
            has_room = len(held) < PLACES
            assert ctx.get(dut.input.ready) == has_room
            assert ctx.get(dut.output.valid) == bool(held)
            if held:
                assert ctx.get(dut.output.payload) == held[0]
                if takes:
                    held.popleft()
            if offers and has_room:
                held.append(number)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
