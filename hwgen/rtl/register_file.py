"""Register file: what the processing elements keep of one operand, all of them at the same entry."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

DISTRIBUTED = {"ram_style": "distributed"}
"""Attributes of a memory of few words, which is read in the cycle that asks.

Where a register stands behind it, synthesis would else make it block RAM, if that is cheaper: slow to read, and scarce.
"""


class RegisterFile(wiring.Component):
    """An incoming word passes through into its entry; without one, the entry's word comes, a cycle later either way."""

    def __init__(self, width: int, entry_bits: int) -> None:
        super().__init__(
            {
                "entry": In(entry_bits),
                "write": In(1),
                "incoming": In(width),
                "clear": In(1),  # the word is 0
                "word": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth = 2 ** len(self.entry)
        m.submodules.entries = entries = memory.Memory(shape=len(self.word), depth=depth, init=[], attrs=DISTRIBUTED)
        write, read = entries.write_port(), entries.read_port(domain="comb")
        word = Signal.like(self.word, reset_less=True)
        m.d.comb += [
            write.addr.eq(self.entry),
            write.en.eq(self.write),
            write.data.eq(self.incoming),
            read.addr.eq(self.entry),
            self.word.eq(word),
        ]
        m.d.sync += word.eq(Mux(self.clear, 0, Mux(self.write, self.incoming, read.data)))
        return m
