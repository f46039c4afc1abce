"""Weight-stationary array: weights stay in each processing element's register file while a block of pixels passes.

The first pixel of a block brings the weights of a chunk, up to ``rf_depth`` of them per processing element; the pixels
after it read the register file. A pixel's partial sum is read and written once per chunk.
"""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value

from hwgen.rtl.multiplier_array import Array
from hwgen.rtl.register_file import RegisterFile
from hwgen.rtl.step import entry_bits


class WeightStationaryArray(Array):
    """A chunk is any ``rf_depth`` successive steps."""

    def stationary(self, m: Module, dealt: Value) -> tuple[Value, Value]:
        m.submodules.weight_file = weight_file = RegisterFile(len(self.weights), entry_bits(self.config))
        operands = Signal(len(dealt), reset_less=True)
        m.d.sync += operands.eq(Mux(self.control.slide, 0, dealt))
        m.d.comb += [
            weight_file.entry.eq(self.control.weight_entry),
            weight_file.write.eq(self.control.new_weights),
            weight_file.incoming.eq(self.weights),
            self.weight_file_used.eq(self.control.mac),
        ]
        return operands, weight_file.word
