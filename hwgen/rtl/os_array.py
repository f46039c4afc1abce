"""Output-stationary array: partial sums stay in the register file until they are complete.

Every step adds to the partial sum of its pixel, an entry of the register file; each weight word is read once for the
``rf_depth`` pixels of a block, and waits in a register meanwhile.
"""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value

from hwgen.rtl.multiplier_array import Array


class OutputStationaryArray(Array):
    """A chunk is one step."""

    def stationary(self, m: Module, dealt: Value) -> tuple[Value, Value]:
        operands = Signal(len(dealt), reset_less=True)
        weights = Signal(len(self.weights), reset_less=True)
        m.d.sync += operands.eq(Mux(self.control.slide, 0, dealt))
        with m.If(self.control.new_weights):
            m.d.sync += weights.eq(self.weights)
        return operands, weights
