"""Row-stationary array: kernel rows stay in the register files, and the rows of operands slide past them.

After Eyeriss (Chen, Emer and Sze, ISCA 2016). A chunk is the taps of a kernel row, for one slice of the channels or,
where the register file holds them, several: a processing element convolves its kernel row with a row of operands. An
operand that is fetched stays in a register file of ``rf_depth`` entries for all pixels of the output row whose windows
have it. Partial sums accumulate over kernel rows and channels down the column. All columns take the same operands, so
one register file per array row holds them.
"""

from __future__ import annotations

from amaranth.hdl import Module, Signal

from hwgen.rtl.multiplier_array import Array
from hwgen.rtl.operand_rows import OperandDealer
from hwgen.rtl.partial_sums import PartialSums
from hwgen.rtl.register_file import RegisterFile
from hwgen.rtl.step import entry_bits


class RowStationaryArray(Array):
    """The sequencer numbers operands so that those of two pixels keep their entries from one to the next."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dealer = dealer = OperandDealer(self.config)
        m.submodules.input_file = input_file = RegisterFile(len(dealer.dealt), entry_bits(self.config))
        m.submodules.weight_file = weight_file = RegisterFile(len(self.weights), entry_bits(self.config))
        m.submodules.multipliers = multipliers = self.multipliers
        m.submodules.partial_sums = partial_sums = PartialSums(self.config)
        weights = Signal(len(self.weights), reset_less=True)
        m.d.sync += weights.eq(weight_file.word)
        m.d.comb += [
            dealer.step_rows.eq(self.control.step_rows),
            dealer.vectors.eq(self.vectors),
            input_file.entry.eq(self.control.input_entry),
            input_file.write.eq(self.control.fetch),
            input_file.incoming.eq(dealer.dealt),
            weight_file.entry.eq(self.control.weight_entry),
            weight_file.write.eq(self.control.new_weights),
            weight_file.incoming.eq(self.weights),
            multipliers.control.eq(self.control),
            multipliers.vectors.eq(self.vectors),
            multipliers.shared.eq(input_file.word),
            multipliers.weights.eq(weights),
            partial_sums.next_control.eq(multipliers.next_control),
            partial_sums.control.eq(multipliers.products_control),
            partial_sums.products.eq(multipliers.products),
            self.pixel_done.eq(partial_sums.pixel_done),
            self.hold_done.eq(partial_sums.hold_done),
            partial_sums.drain_slot.eq(self.drain_slot),
            self.drained.eq(partial_sums.drained),
            self.weight_file_used.eq(self.control.mac),
            self.input_file_used.eq(self.control.mac & ~self.control.slide),
        ]
        return m
