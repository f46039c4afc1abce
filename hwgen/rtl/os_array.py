"""Output-stationary array: partial sums stay in the register file until they are complete.

Every step adds to the partial sum of its pixel, an entry of the register file; each weight word is read once for the
``rf_depth`` pixels of a block, and waits in a register meanwhile.
"""

from __future__ import annotations

from amaranth.hdl import Module, Signal

from hwgen.rtl.multiplier_array import Array
from hwgen.rtl.operand_rows import OperandDealer
from hwgen.rtl.partial_sums import PartialSums


class OutputStationaryArray(Array):
    """A chunk is one step."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dealer = dealer = OperandDealer(self.config)
        m.submodules.multipliers = multipliers = self.multipliers
        m.submodules.register_file = register_file = PartialSums(self.config)
        weights = Signal(len(self.weights), reset_less=True)
        with m.If(self.control.new_weights):
            m.d.sync += weights.eq(self.weights)
        m.d.comb += [
            dealer.step_rows.eq(self.control.step_rows),
            dealer.vectors.eq(self.vectors),
            multipliers.control.eq(self.control),
            multipliers.vectors.eq(self.vectors),
            multipliers.shared.eq(dealer.dealt),
            multipliers.weights.eq(weights),
            register_file.next_control.eq(multipliers.next_control),
            register_file.control.eq(multipliers.products_control),
            register_file.products.eq(multipliers.products),
            self.pixel_done.eq(register_file.pixel_done),
            self.hold_done.eq(register_file.hold_done),
            register_file.drain_slot.eq(self.drain_slot),
            self.drained.eq(register_file.drained),
        ]
        return m
