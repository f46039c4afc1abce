"""The comparison agrees with Python's, of all pairs of values."""

from __future__ import annotations

from itertools import product

import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.sim import Simulator

from hwgen.rtl.comparison import is_less


@pytest.mark.parametrize("bits", [2, 5])
def test_compares_as_signed(bits: int) -> None:
    m = Module()
    left, right, less = Signal(signed(bits)), Signal(signed(bits)), Signal()
    m.d.comb += less.eq(is_less(left, right))

    async def testbench(ctx) -> None:
        for values in product(range(-(1 << bits - 1), 1 << bits - 1), repeat=2):
            ctx.set(left, values[0])
            ctx.set(right, values[1])
            assert ctx.get(less) == (values[0] < values[1])

    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize(("left", "right"), [(signed(8), signed(9)), (8, 8), (signed(8), 8)])
def test_what_is_not_signed_and_of_one_width_is_refused(left: object, right: object) -> None:
    with pytest.raises(ValueError, match="one width"):
        is_less(Signal(left), Signal(right))
