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

    A chunk's dot products are summed in a register, and the pixel's entry is read and written once per chunk: written
    from that register, a cycle after the chunk's last dot products, and read a cycle before its first arrive. The
    chunk before may then be summing up, and the one before that just be writing: its sums are in the register.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
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
        control, next_control = self.control, self.next_control
        layout = data.ArrayLayout(signed(ACC_BITS), len(cols))
        stored, running = Signal(layout, reset_less=True), Signal(layout, reset_less=True)
        begins, resumes = Signal(reset_less=True), Signal(reset_less=True)
        """The pixel's sums begin with this step; they are those that were stored."""
        sums = [Mux(resumes, stored[col], running[col]) for col in cols]
        updated = Signal(width)
        ends = control.mac & control.chunk_last
        written, written_slot = Signal(), Signal.like(write.addr, name="written_slot", reset_less=True)
        m.d.comb += [
            updated.eq(accumulate(begins, control.take_maximum, sums, [self.products[col] for col in cols])),
            ahead.addr.eq(next_control.slot),
            write.addr.eq(written_slot),
            write.en.eq(written),
            write.data.eq(running),
            drain.addr.eq(self.drain_slot),
            self.drained.eq(drain.data),
        ]
        m.d.sync += [
            written.eq(ends),
            written_slot.eq(control.slot),
            stored.eq(Mux(written & (next_control.slot == written_slot), running, ahead.data)),
            begins.eq(next_control.chunk_first & next_control.first),
            resumes.eq(next_control.chunk_first & ~(ends & (next_control.slot == control.slot))),
            self.pixel_done.eq(ends & control.complete),
            self.hold_done.eq(ends & control.held),
        ]
        with m.If(control.mac):
            m.d.sync += running.eq(updated)
        return m
