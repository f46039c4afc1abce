"""Row-stationary array: kernel rows stay in the register files, and the rows of operands slide past them.

After Eyeriss (Chen, Emer and Sze, ISCA 2016). A chunk is the taps of a kernel row, for one slice of the channels or,
where the register file holds them, several: a processing element convolves its kernel row with a row of operands. An
operand that is fetched stays in a register file of ``rf_depth`` entries for all pixels of the output row whose windows
have it. Partial sums accumulate over kernel rows and channels down the column. All columns take the same operands, so
one register file per array row holds them.
"""

from __future__ import annotations

from amaranth.hdl import Module, Value

from hwgen.rtl.register_file import RegisterFile
from hwgen.rtl.step import entry_bits
from hwgen.rtl.ws_array import WeightStationaryArray


class RowStationaryArray(WeightStationaryArray):
    """Keeps weights as the weight-stationary array does, and operands beside them.

    The sequencer numbers operands so that those of two pixels keep their entries from one to the next.
    """

    def stationary(self, m: Module, dealt: Value) -> tuple[Value, Value]:
        _, weights = super().stationary(m, dealt)
        m.submodules.input_file = input_file = RegisterFile(len(dealt), entry_bits(self.config))
        m.d.comb += [
            input_file.entry.eq(self.control.input_entry),
            input_file.write.eq(self.control.fetch),
            input_file.incoming.eq(dealt),
            input_file.clear.eq(self.control.slide),
            self.input_file_used.eq(self.control.mac & ~self.control.slide),
        ]
        return input_file.word, weights
