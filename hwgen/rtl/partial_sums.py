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
    """A memory entry per pixel; it holds the sums of all columns."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        layout = data.ArrayLayout(signed(ACC_BITS), config.cols)
        super().__init__(
            {
                "control": In(ControlLayout),  # slot, complete and held matter
                "write": In(1),  # the slot's sums become ``updated``
                "updated": In(layout),
                "current": Out(layout),  # the slot's sums, in the same cycle
                "pixel_done": Out(1),  # pulse: the next pixel's partial sums are in the memory, complete
                "hold_done": Out(1),  # pulse: an instruction has left its partial sums to the next
                "drain_slot": In(slot_bits(config)),  # entry to read
                "drained": Out(ACC_BITS * config.cols),  # its partial sums, in the same cycle
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = storage = memory.Memory(
            shape=ACC_BITS * self.config.cols, depth=2 ** slot_bits(self.config), init=[]
        )
        write = storage.write_port()
        current, drain = storage.read_port(domain="comb"), storage.read_port(domain="comb")
        m.d.comb += [
            current.addr.eq(self.control.slot),
            write.addr.eq(self.control.slot),
            write.en.eq(self.write),
            write.data.eq(self.updated),
            self.current.eq(current.data),
            drain.addr.eq(self.drain_slot),
            self.drained.eq(drain.data),
        ]
        m.d.sync += [
            self.pixel_done.eq(self.write & self.control.complete),
            self.hold_done.eq(self.write & self.control.held),
        ]
        return m


class ChunkSums(wiring.Component):
    """Sums a chunk's dot products in a register and reads and writes the partial sums once per pixel and chunk."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "control": In(ControlLayout),
                "products": In(data.ArrayLayout(signed(product_bits(config)), config.cols)),  # the step's dot products
                "pixel_done": Out(1),
                "hold_done": Out(1),
                "drain_slot": In(slot_bits(config)),
                "drained": Out(ACC_BITS * config.cols),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cols = self.config.cols
        m.submodules.partial_sums = partial_sums = PartialSums(self.config)
        running = Signal(data.ArrayLayout(signed(ACC_BITS), cols), reset_less=True)
        control = self.control
        sums = [Mux(control.chunk_first, partial_sums.current[col], running[col]) for col in range(cols)]
        products = [self.products[col] for col in range(cols)]
        first = control.chunk_first & control.first
        m.d.comb += [
            partial_sums.control.eq(control),
            partial_sums.write.eq(control.mac & control.chunk_last),
            partial_sums.updated.eq(accumulate(first, control.take_maximum, sums, products)),
            partial_sums.drain_slot.eq(self.drain_slot),
            self.drained.eq(partial_sums.drained),
            self.pixel_done.eq(partial_sums.pixel_done),
            self.hold_done.eq(partial_sums.hold_done),
        ]
        with m.If(control.mac):
            m.d.sync += running.eq(partial_sums.updated)
        return m
