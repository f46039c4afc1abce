"""Operand stage: clamps the fetched vectors and pads them."""

from __future__ import annotations

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.rtl.act_buffer import ActBuffer
from hwgen.rtl.comparison import is_less
from hwgen.rtl.step import step_layout


def pad_and_clamp(vector: list[int], offset: int, row_bytes: int, pad: int, low: int, high: int) -> list[int]:
    """Golden: int8 lanes are clamped; those whose position ``offset + lane`` is outside [0, row_bytes) are ``pad``."""
    clamped = [min(max(value, low), high) for value in vector]
    return [value if 0 <= offset + lane < row_bytes else pad for lane, value in enumerate(clamped)]


def step_operands(step: Mapping[str, int], vectors: list[list[int]]) -> list[list[int]]:
    """Golden: the operands of a step, by row, from the ``vectors`` fetched for it."""
    bounds = (step["pad_value"], step["input_low"], step["input_high"])
    return [
        pad_and_clamp(vector, step["offset"], step["row_bytes"] if step["rows_valid"] >> row & 1 else 0, *bounds)
        for row, vector in enumerate(vectors)
    ]


class OperandStage(wiring.Component):
    """Works beside the activation buffer's fetch and adds two cycles; a row that is not stored is all padding."""

    latency = ActBuffer.fetch_latency + 2
    """Cycles from ``step`` to ``operands``."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        rows_layout = data.ArrayLayout(8 * config.rows, ROW_BANKS)
        super().__init__(
            {
                "step": In(step_layout(config)),  # the step whose vectors are being fetched
                "fetched": In(rows_layout),  # the vectors, ActBuffer.fetch_latency later
                "operands": Out(rows_layout),  # the same with padding, one byte per lane
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.config.rows

        # First lane that is stored, and first lane after it that is not. Both may lie beside the lanes, as their sign
        # and their high bits tell a cycle later.
        before = Signal(signed(len(self.step.offset) + 1), reset_less=True)
        remaining = Signal(signed(len(self.step.offset) + 1), reset_less=True)
        m.d.sync += [
            before.eq(-self.step.offset),
            remaining.eq(self.step.row_bytes.as_signed() - self.step.offset),
        ]
        layout = data.StructLayout({"low": lanes.bit_length(), "beyond": 1, "negative": 1})
        first, end = Signal(layout, reset_less=True), Signal(layout, reset_less=True)
        for bound, value in ((first, before), (end, remaining)):
            high = value[lanes.bit_length() : -1]
            m.d.sync += [bound.low.eq(value), bound.beyond.eq(high.any()), bound.negative.eq(value[-1])]
        stored = Signal(lanes, reset_less=True)
        m.d.sync += stored.eq(Cat(_at_most(first, lane) & ~_at_most(end, lane) for lane in range(lanes)))

        beside = [Cat(self.step.pad_value, self.step.input_low, self.step.input_high, self.step.rows_valid)]
        masks = [stored]
        for stage in range(ActBuffer.fetch_latency + 1):
            delayed = Signal(24 + ROW_BANKS, name=f"beside_{stage}", reset_less=True)
            m.d.sync += delayed.eq(beside[-1])
            beside.append(delayed)
        for stage in range(ActBuffer.fetch_latency - 3):
            delayed = Signal(lanes, name=f"stored_{stage}", reset_less=True)
            m.d.sync += delayed.eq(masks[-1])
            masks.append(delayed)
        # One cycle for the comparisons, and one for the choice: both bounds have far to go.
        low, highest, rows_valid = beside[-2][8:16].as_signed(), beside[-2][16:24].as_signed(), beside[-2][24:]
        pad, high = beside[-1][:8], beside[-1][16:24]
        for row in range(ROW_BANKS):
            for lane in range(lanes):
                byte = slice(8 * lane, 8 * lane + 8)
                value = self.fetched[row][byte].as_signed()
                raised = Signal(signed(8), name=f"raised_{row}_{lane}", reset_less=True)
                is_stored = Signal(name=f"is_stored_{row}_{lane}", reset_less=True)
                is_above = Signal(name=f"is_above_{row}_{lane}", reset_less=True)
                m.d.sync += [
                    raised.eq(Mux(is_less(value, low), low, value)),
                    is_stored.eq(masks[-1][lane] & rows_valid[row]),
                    is_above.eq(is_less(highest, value)),
                    self.operands[row][byte].eq(Mux(is_stored, Mux(is_above, high, raised), pad)),
                ]
        return m


def _at_most(bound: data.View[data.StructLayout], lane: int) -> Value:
    """Whether a bound that may lie beside the lanes is at most ``lane``."""
    return bound.negative | (~bound.beyond & (bound.low <= lane))
