"""Queue: first in, first out, between two streams."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out


class Queue(wiring.Component):
    """What enters an empty queue leaves it a cycle later; an entry may enter and another leave in every cycle.

    In all but its clock like ``amaranth.lib.fifo.SyncFIFO``: ``ready`` and ``valid`` are registers, and the free entry
    takes whatever is offered, so that no memory waits to hear whether the offer is valid. ``output`` is in registers.
    """

    def __init__(self, shape: ShapeLike, *, depth: int) -> None:
        if depth < 2:
            raise ValueError(f"depth: {depth} is not accepted; accepted: 2 and more")
        self.shape, self.depth = shape, depth
        super().__init__(
            {
                "input": In(stream.Signature(shape)),
                "output": Out(stream.Signature(shape)),
                "stored": Out(shape),  # the output's payload out of the memory, for registers that it will be kept in
                "level": Out(range(depth + 1)),  # entries
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        places = 1 << (self.depth - 1).bit_length()
        """Of the memory, whose addresses wrap around by themselves."""
        m.submodules.storage = storage = memory.Memory(shape=self.shape, depth=places, init=[])
        write, read = storage.write_port(), storage.read_port(domain="comb")
        ahead = storage.read_port(domain="comb")
        room, filled, several = Signal(init=1), Signal(), Signal()
        """There is place for an entry; there is one; and one behind it."""
        shown = Signal(self.shape, reset_less=True)
        full = Signal()
        """The memory's own register of what ``room`` says: it reaches every bit."""
        free, first, second = Signal(range(places)), Signal(range(places)), Signal(range(places), init=1)
        enters, leaves = Signal(), Signal()
        m.d.comb += [
            self.input.ready.eq(room),
            self.output.valid.eq(filled),
            self.output.payload.eq(shown),
            self.stored.eq(read.data),
            enters.eq(self.input.valid & room),
            leaves.eq(self.output.ready & filled),
            write.addr.eq(free),
            write.data.eq(self.input.payload),
            write.en.eq(~full),
            read.addr.eq(first),
            ahead.addr.eq(second),
        ]
        with m.If(enters):
            m.d.sync += free.eq(free + 1)
        with m.If(leaves):
            m.d.sync += [first.eq(second), second.eq(second + 1)]
        with m.If(leaves | ~filled):
            m.d.sync += shown.eq(Mux(several, ahead.data, self.input.payload))
        # What enters may be known late: whether it does only enables these.
        with m.If(enters != leaves):
            fills = ~leaves & (self.level == self.depth - 1)
            m.d.sync += [
                self.level.eq(Mux(leaves, self.level - 1, self.level + 1)),
                filled.eq(~leaves | several),
                several.eq(Mux(leaves, self.level > 2, filled)),
                room.eq(~fills),
                full.eq(fills),
            ]
        return m
