"""Weight-stationary array: weights stay in each processing element's register file while a block of pixels passes.

The first pixel of a block brings the weights of a chunk, up to ``rf_depth`` of them per processing element; the pixels
after it read the register file. A pixel's partial sum is read and written once per chunk.
"""

from __future__ import annotations

from amaranth.hdl import Module, Signal

from hwgen.rtl.multiplier_array import Array
from hwgen.rtl.operand_rows import OperandDealer
from hwgen.rtl.partial_sums import PartialSums
from hwgen.rtl.register_file import RegisterFile
from hwgen.rtl.step import entry_bits


class WeightStationaryArray(Array):
    """A chunk is any ``rf_depth`` successive steps."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dealer = dealer = OperandDealer(self.config)
        m.submodules.weight_file = weight_file = RegisterFile(len(self.weights), entry_bits(self.config))
        m.submodules.multipliers = multipliers = self.multipliers
        m.submodules.partial_sums = partial_sums = PartialSums(self.config)
        weights = Signal(len(self.weights), reset_less=True)
        m.d.sync += weights.eq(weight_file.word)
        m.d.comb += [
            dealer.step_rows.eq(self.control.step_rows),
            dealer.vectors.eq(self.vectors),
            weight_file.entry.eq(self.control.weight_entry),
            weight_file.write.eq(self.control.new_weights),
            weight_file.incoming.eq(self.weights),
            multipliers.control.eq(self.control),
            multipliers.vectors.eq(self.vectors),
            multipliers.shared.eq(dealer.dealt),
            multipliers.weights.eq(weights),
            partial_sums.next_control.eq(multipliers.next_control),
            partial_sums.control.eq(multipliers.products_control),
            partial_sums.products.eq(multipliers.products),
            self.pixel_done.eq(partial_sums.pixel_done),
            self.hold_done.eq(partial_sums.hold_done),
            partial_sums.drain_slot.eq(self.drain_slot),
            self.drained.eq(partial_sums.drained),
            self.weight_file_used.eq(self.control.mac),
        ]
        return m
