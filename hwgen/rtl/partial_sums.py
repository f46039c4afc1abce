"""Partial sums: pixels take one after the other, in a ring; the array adds to some while the drain reads others."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.rtl.dot_products import product_bits
from hwgen.rtl.step import ControlLayout, slot_bits

ACC_BITS = 32


def accumulate(first: Value, take_maximum: Value, sums: list[Value], products: list[Value]) -> Value:
    """The columns' new sums, side by side: of the old ones and the dot products, the maximum of both, or the latter."""
    combined = []
    for total, product in zip(sums, products, strict=True):
        maximum = Mux(total > product, total, product)
        added = (total + product)[:ACC_BITS].as_signed()
        combined.append(Mux(first, product, Mux(take_maximum, maximum, added))[:ACC_BITS])
    return Cat(combined)


class PartialSums(wiring.Component):
    """A memory entry per pixel; it holds the sums of all columns.

    A chunk's dot products are summed in a register, and the pixel's entry is read and written once per chunk: read into
    that register in the cycle before the chunk's first dot products, and written a cycle after its last, from another.
    The entry may then just be written, or be what is summed up.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "coming_control": In(ControlLayout),  # of the cycle after the next
                "next_control": In(ControlLayout),  # of the next cycle
                "control": In(ControlLayout),
                "products": In(data.ArrayLayout(signed(product_bits(config)), config.cols)),  # the step's dot products
                "pixel_done": Out(1),  # pulse: the next pixel's partial sums are in the memory a cycle later
                "hold_done": Out(1),  # pulse: an instruction has left its partial sums to the next
                "drain_slot": In(slot_bits(config)),  # entry to read
                "drained": Out(ACC_BITS * config.cols),  # its partial sums, in the same cycle
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cols = range(self.config.cols)
        width = ACC_BITS * len(cols)
        m.submodules.memory = storage = memory.Memory(shape=width, depth=2 ** slot_bits(self.config), init=[])
        write = storage.write_port()
        ahead, drain = storage.read_port(domain="comb"), storage.read_port(domain="comb")
        coming_control, next_control, control = self.coming_control, self.next_control, self.control
        running = Signal(data.ArrayLayout(signed(ACC_BITS), len(cols)), reset_less=True)
        begins, resumes = Signal(reset_less=True), Signal(reset_less=True)
        """The pixel's sums begin with this step; those of the next step's pixel are in the memory."""
        updated, finished = Signal(width), Signal(width, reset_less=True)
        ends = control.mac & control.chunk_last
        written, written_slot = Signal(), Signal.like(write.addr, name="written_slot", reset_less=True)
        reads_written = Signal()
        """The entry that is read is the one that is written."""
        goes_on = next_control.mac & next_control.chunk_last & (coming_control.slot == next_control.slot)
        products = [self.products[col] for col in cols]
        m.d.comb += [
            updated.eq(accumulate(begins, control.take_maximum, [running[col] for col in cols], products)),
            ahead.addr.eq(next_control.slot),
            write.addr.eq(written_slot),
            write.en.eq(written),
            write.data.eq(finished),
            drain.addr.eq(self.drain_slot),
            self.drained.eq(drain.data),
        ]
        m.d.sync += [
            finished.eq(updated),
            written.eq(ends),
            written_slot.eq(control.slot),
            begins.eq(next_control.chunk_first & next_control.first),
            resumes.eq(coming_control.mac & coming_control.chunk_first & ~goes_on),
            reads_written.eq(ends & (coming_control.slot == control.slot)),
            self.pixel_done.eq(ends & control.complete),
            self.hold_done.eq(ends & control.held),
        ]
        with m.If(resumes):
            m.d.sync += running.eq(Mux(reads_written, finished, ahead.data))
        with m.Elif(control.mac):
            m.d.sync += running.eq(updated)
        return m
