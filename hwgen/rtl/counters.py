"""Performance counters: their totals lie in a memory, which one adder visits in turn."""

from __future__ import annotations

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.registers import COUNTERS
from hwgen.rtl.ram import Ram, RamShape
from hwgen.rtl.step import most_macs

COUNTER_BITS = 48
TOTALS = RamShape(width=COUNTER_BITS, depth=len(COUNTERS), granule=COUNTER_BITS)


def largest_increment(name: str, config: AcceleratorConfig) -> int:
    """The most that the counter of that name grows by in a cycle."""
    return {"macs": most_macs(config), "act_reads": ROW_BANKS, "requantised": config.requant_lanes}.get(name, 1)


def increment_bits(config: AcceleratorConfig) -> int:
    """Width of the widest amount that a counter grows by in a cycle."""
    return max(largest_increment(counter.name, config) for counter in COUNTERS).bit_length()


class Counters(wiring.Component):
    """What a counter has grown by since its last turn is in registers; its turn comes every ``len(COUNTERS)`` cycles.

    A read is answered at the counter's next turn, with all that was counted before the read.
    """

    latency = 4
    """Cycles from an increment to the totals that have it."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "clear": In(1),  # all counters become 0
                "counts": In(1),  # this cycle's increments count
                "increments": In(increment_bits(config)).array(len(COUNTERS)),  # this cycle's growth of each counter
                "read": In(1),  # the host waits for a counter
                "index": In(range(len(COUNTERS))),  # which
                "valid": Out(1),  # its total is there
                "total": Out(COUNTER_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = len(COUNTERS)
        m.submodules.totals = totals = Ram(TOTALS)

        # First cycle of a turn: its total is read.
        turn, last = Signal(range(count)), Signal()
        first_round = Signal(init=1)
        """Totals are 0, whatever the memory has."""
        m.d.comb += [last.eq(turn == count - 1), totals.read_address.eq(turn)]
        clear = Signal()
        """A cycle later, because it has far to go; nothing is counted before."""
        m.d.sync += clear.eq(self.clear)
        m.d.sync += turn.eq(Mux(last | clear, 0, turn + 1))
        with m.If(clear):
            m.d.sync += first_round.eq(1)
        with m.Elif(last):
            m.d.sync += first_round.eq(0)

        # Second cycle: the total is there, and the growth is taken.
        turns = Signal(count, init=1 << count - 1)
        """The counter whose second cycle it is, a bit each."""
        starts = Signal(reset_less=True)
        m.d.sync += [turns.eq(Mux(clear, turns.init, turns.rotate_left(1))), starts.eq(first_round)]
        increments = []
        for counter, increment in zip(COUNTERS, self.increments, strict=True):
            register = Signal.like(increment, name=f"increment_{counter.name}", reset_less=True)
            m.d.sync += register.eq(Mux(self.counts, increment, 0))
            increments.append(register)
        largest = [largest_increment(counter.name, self.config) for counter in COUNTERS]
        taken: list[Value] = []
        for index in (index for index in range(count) if largest[index] > 1):
            bits = (count * largest[index]).bit_length()
            growth = Signal(bits, name=f"growth_{COUNTERS[index].name}", reset_less=True)
            kept = Mux(turns[index], 0, growth)
            m.d.sync += growth.eq(Mux(clear, 0, kept + increments[index]))
            taken.append(Mux(turns[index], growth, 0))

        # The many that grow by one at most count side by side: a word has one bit of each one's growth, and what they
        # carry goes from word to word, lowest bits first. That takes half the LUTs of an adder each.
        singles = [index for index in range(count) if largest[index] == 1]
        turns_of_singles = Cat(turns[index] for index in singles)
        carries: Value = Cat(increments[index][0] for index in singles)
        taken_bits = []
        for place in range(count.bit_length()):
            growths = Signal(len(singles), name=f"growths_{place}", reset_less=True)
            kept = growths & ~turns_of_singles
            m.d.sync += growths.eq(Mux(clear, 0, kept ^ carries))
            taken_bits.append((growths & turns_of_singles).any())
            carries = kept & carries
        taken.append(Cat(taken_bits))
        before = Signal(COUNTER_BITS, reset_less=True)
        grown = Signal(max(map(len, taken)), reset_less=True)
        m.d.sync += [before.eq(Mux(starts, 0, totals.read_data)), grown.eq(reduce(or_, taken))]

        # Third cycle: they are added.
        later = range(1, self.latency)
        turned = [turn, *(Signal.like(turn, name=f"turned_{cycle}", reset_less=True) for cycle in later)]
        asked = [self.read & (turn == self.index), *(Signal(name=f"asked_{cycle}") for cycle in later)]
        for cycle in later:
            m.d.sync += [turned[cycle].eq(turned[cycle - 1]), asked[cycle].eq(asked[cycle - 1])]
        after = Signal(COUNTER_BITS, reset_less=True)
        m.d.sync += after.eq(before + grown)

        # Fourth cycle: the new total is written.
        m.d.comb += [
            self.total.eq(after),
            self.valid.eq(asked[-1]),
            totals.write_address.eq(turned[-1]),
            totals.write_enable.eq(1),
            totals.write_data.eq(after),
        ]
        return m
