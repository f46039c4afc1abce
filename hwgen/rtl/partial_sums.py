"""Partial sums: pixels take one after the other, in a ring; the array adds to some while the drain reads others."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.rtl.comparison import is_less
from hwgen.rtl.dot_products import product_bits
from hwgen.rtl.register_file import DISTRIBUTED
from hwgen.rtl.step import ControlLayout, slot_bits

ACC_BITS = 32
INT8_BITS = 8


def counted(value: Value, counts: Value) -> Value:
    """``value``, or 0 where it does not count."""
    return (value.as_unsigned() & counts.replicate(len(value))).as_signed()


def exceeds(value: Value, product: Value) -> Value:
    """Whether ``value`` is above ``product``; both are int8."""
    return is_less(product[:INT8_BITS].as_signed(), value[:INT8_BITS].as_signed())


class PartialSums(wiring.Component):
    """A memory entry per pixel; it holds the sums of all columns.

    A chunk's dot products are summed in a register, and the pixel's entry is read and written once per chunk: read into
    another register in the cycle before the chunk's first dot products, and written from the first in the cycle after
    its last. Where the entry is that of the chunk just before, what the first register has is summed up; where it is
    being written, that is read.

    Where the maximum is kept, dot products are int8, so that few bits need be compared; it has a register beside the
    sums', which then need not wait to hear how a comparison ends.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "following_slot": In(slot_bits(config)),  # of the cycle after the next
                "next_control": In(ControlLayout),  # of the next cycle
                "control": In(ControlLayout),
                "products": In(data.ArrayLayout(signed(product_bits(config)), config.cols)),  # the step's dot products
                "pixel_done": Out(1),  # pulse: the next pixel's partial sums are in the memory from the next cycle on
                "hold_done": Out(1),  # pulse: an instruction has left its partial sums to the next
                "drain_slot": In(slot_bits(config)),  # entry to read
                "drained": Out(ACC_BITS * config.cols),  # its partial sums, in the same cycle
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cols = range(self.config.cols)
        width = ACC_BITS * len(cols)
        depth = 2 ** slot_bits(self.config)
        m.submodules.memory = storage = memory.Memory(shape=width, depth=depth, init=[], attrs=DISTRIBUTED)
        write = storage.write_port()
        ahead, drain = storage.read_port(domain="comb"), storage.read_port(domain="comb")
        next_control, control = self.next_control, self.control
        sums = data.ArrayLayout(signed(ACC_BITS), len(cols))
        maxima = data.ArrayLayout(signed(INT8_BITS), len(cols))
        running, resumed = Signal(sums, reset_less=True), Signal(sums, reset_less=True)
        maximum = Signal(maxima, reset_less=True)
        """In place of ``running`` where the maximum is kept."""
        resumes = Signal(reset_less=True)
        """The pixel's sums go on from the memory."""
        compares = Signal(reset_less=True)
        """The maximum is kept, of this step's dot products and of what there was."""
        adds_running, adds_resumed = Signal(reset_less=True), Signal(reset_less=True)
        """Which of them the dot products are added to."""
        will_begin, will_resume = Signal(), Signal()
        ends, goes_on = Signal(), Signal()
        """A chunk ends with this cycle's step; and the next cycle's entry is the same."""
        written, writes = Signal.like(control.slot, reset_less=True), Signal()
        """The entry of the chunk that has ended with the last cycle, which is being written."""
        writes_maximum = Signal(reset_less=True)
        reads_written = Signal(reset_less=True)
        """It is that of the next cycle's step: every bit of what is read depends on it."""
        result = Signal(sums)
        for col in cols:
            product = self.products[col]
            before = Signal(signed(INT8_BITS), name=f"before_{col}")
            stays = Signal(name=f"stays_{col}")
            m.d.comb += [
                before.eq(Mux(resumes, resumed[col][:INT8_BITS], maximum[col])),
                # Both are compared, and then chosen from: a choice beforehand has far to go.
                stays.eq(compares & Mux(resumes, exceeds(resumed[col], product), exceeds(maximum[col], product))),
                result[col].eq(Mux(writes_maximum, maximum[col], running[col])),
            ]
            with m.If(control.mac):
                m.d.sync += [
                    running[col].eq(
                        (counted(running[col], adds_running) | counted(resumed[col], adds_resumed)) + product
                    ),
                    maximum[col].eq(Mux(stays, before, product)),
                ]
        m.d.comb += [
            will_begin.eq(next_control.chunk_first & next_control.first),
            will_resume.eq(next_control.chunk_first & ~goes_on),
            ahead.addr.eq(next_control.slot),
            write.addr.eq(written),
            write.en.eq(writes),
            write.data.eq(result),
            drain.addr.eq(self.drain_slot),
            self.drained.eq(drain.data),
        ]
        will_end = next_control.mac & next_control.chunk_last
        m.d.sync += [
            ends.eq(will_end),
            goes_on.eq(will_end & (self.following_slot == next_control.slot)),
            written.eq(control.slot),
            writes.eq(ends),
            writes_maximum.eq(control.take_maximum),
            reads_written.eq(ends & (self.following_slot == control.slot)),
            resumed.eq(Mux(reads_written, result, ahead.data)),
            compares.eq(~will_begin),
            resumes.eq(will_resume),
            adds_running.eq(~will_begin & ~will_resume),
            adds_resumed.eq(~will_begin & will_resume),
            self.pixel_done.eq(ends & control.complete),
            self.hold_done.eq(ends & control.held),
        ]
        return m
