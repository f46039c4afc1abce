"""Partial sums: pixels take one after the other, in a ring; the array adds to some while the drain reads others."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.rtl.dot_products import product_bits
from hwgen.rtl.step import ControlLayout, slot_bits

ACC_BITS = 32
INT8_BITS = 8


class PartialSums(wiring.Component):
    """A memory entry per pixel; it holds the sums of all columns.

    A chunk's dot products are summed in a register, and the pixel's entry is read and written once per chunk: read into
    another register in the cycle before the chunk's first dot products, and written with its last. Only where the entry
    is that of the chunk just before, what the first register has is summed up.

    Where the maximum is kept, dot products are int8, so that few bits need be compared.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "next_control": In(ControlLayout),  # of the next cycle
                "control": In(ControlLayout),
                "products": In(data.ArrayLayout(signed(product_bits(config)), config.cols)),  # the step's dot products
                "pixel_done": Out(1),  # pulse: the next pixel's partial sums are in the memory
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
        next_control, control = self.next_control, self.control
        sums = data.ArrayLayout(signed(ACC_BITS), len(cols))
        running, resumed, updated = Signal(sums, reset_less=True), Signal(sums, reset_less=True), Signal(sums)
        begins, resumes = Signal(reset_less=True), Signal(reset_less=True)
        """The pixel's sums begin with this step, or go on from the memory."""
        ends = control.mac & control.chunk_last
        goes_on = ends & (next_control.slot == control.slot)
        for col in cols:
            m.d.comb += updated[col].eq(
                self._combined(m, col, running[col], resumed[col], begins, resumes, control.take_maximum)
            )
        m.d.comb += [
            ahead.addr.eq(next_control.slot),
            write.addr.eq(control.slot),
            write.en.eq(ends),
            write.data.eq(updated),
            drain.addr.eq(self.drain_slot),
            self.drained.eq(drain.data),
        ]
        m.d.sync += [
            resumed.eq(ahead.data),
            begins.eq(next_control.chunk_first & next_control.first),
            resumes.eq(next_control.chunk_first & ~goes_on),
            self.pixel_done.eq(ends & control.complete),
            self.hold_done.eq(ends & control.held),
        ]
        with m.If(control.mac):
            m.d.sync += running.eq(updated)
        return m

    def _combined(
        self, m: Module, col: int, running: Value, resumed: Value, begins: Value, resumes: Value, take_maximum: Value
    ) -> Value:
        """A column's new sum: one addition, of which whatever does not count is 0."""
        product = self.products[col]

        def larger(total: Value, name: str) -> Value:
            is_larger = Signal(name=f"{name}_larger_{col}")
            m.d.comb += is_larger.eq(total[:INT8_BITS].as_signed() > product[:INT8_BITS].as_signed())
            return is_larger

        keeps_running, keeps_resumed, adds = (
            Signal(name=f"{name}_{col}") for name in ("keeps_running", "keeps_resumed", "adds")
        )
        running_larger, resumed_larger = larger(running, "running"), larger(resumed, "resumed")
        m.d.comb += [
            keeps_running.eq(~begins & ~resumes & (~take_maximum | running_larger)),
            keeps_resumed.eq(~begins & resumes & (~take_maximum | resumed_larger)),
            adds.eq(begins | ~take_maximum | ~Mux(resumes, resumed_larger, running_larger)),
        ]

        def counted(value: Value, counts: Value) -> Value:
            return value.as_unsigned() & counts.replicate(len(value))

        kept = counted(running, keeps_running) | counted(resumed, keeps_resumed)
        return kept.as_signed() + counted(product, adds).as_signed()
