"""Operand stage: pads and clamps the fetched vector."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.rtl.act_buffer import ActBuffer
from hwgen.rtl.step import StepLayout


def pad_and_clamp(vector: list[int], offset: int, row_bytes: int, pad: int, low: int, high: int) -> list[int]:
    """Golden: int8 lanes whose position ``offset + lane`` is outside [0, row_bytes) become ``pad``; then all clamp."""
    padded = [value if 0 <= offset + lane < row_bytes else pad for lane, value in enumerate(vector)]
    return [min(max(value, low), high) for value in padded]


class OperandStage(wiring.Component):
    """Works beside the activation buffer's fetch and adds one cycle."""

    latency = ActBuffer.fetch_latency + 1
    """Cycles from ``step`` to ``operands``."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "step": In(StepLayout),  # the step whose vector is being fetched
                "fetched": In(8 * config.rows),  # the vector, ActBuffer.fetch_latency later
                "operands": Out(8 * config.rows),  # one byte per lane
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = self.config.rows
        bits = rows.bit_length()

        # First lane that is stored, and first lane after it that is not, saturated at the number of lanes.
        first, end = Signal(bits, reset_less=True), Signal(bits, reset_less=True)
        remaining = self.step.row_bytes.as_signed() - self.step.offset
        before = -self.step.offset
        m.d.sync += [
            first.eq(Mux(before < 0, 0, Mux(before > rows, rows, before))),
            end.eq(Mux(~self.step.row_valid | (remaining < 0), 0, Mux(remaining > rows, rows, remaining))),
        ]
        stored = Signal(rows, reset_less=True)
        m.d.sync += stored.eq(Cat((first <= lane) & (end > lane) for lane in range(rows)))

        constants = [Cat(self.step.pad_value, self.step.input_low, self.step.input_high)]
        for stage in range(ActBuffer.fetch_latency):
            delayed = Signal(24, name=f"constants_{stage}", reset_less=True)
            m.d.sync += delayed.eq(constants[-1])
            constants.append(delayed)
        pad, low, high = (constants[-1][8 * i : 8 * i + 8].as_signed() for i in range(3))
        for lane in range(rows):
            value = Signal(signed(8), name=f"value_{lane}")
            m.d.comb += value.eq(Mux(stored[lane], self.fetched[8 * lane : 8 * lane + 8], pad))
            m.d.sync += self.operands[8 * lane : 8 * lane + 8].eq(Mux(value < low, low, Mux(value > high, high, value)))
        return m
