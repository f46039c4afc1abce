"""Operand rows: what each row of multipliers holds, and how fetched vectors are dealt over the rows."""

from __future__ import annotations

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.rtl.step import ControlLayout

Rows = list[list[int]]
"""Operands of each array row, one per column."""


def deal_vectors(vectors: Rows, step_rows: int, rows: int) -> list[int]:
    """Golden: each row's operand once ``step_rows`` vectors are dealt evenly over them; rows left over have 0."""
    share = rows // step_rows
    dealt = [vectors[row // share][row % share] for row in range(share * step_rows)]
    return dealt + [0] * (rows - len(dealt))


def slide_operands(vectors: Rows, step_rows: int, held: Rows) -> Rows:
    """Golden: rows' operands once ``step_rows`` vectors, a channel per column, have pushed the others on."""
    rows, cols = len(held), len(held[0])
    entering = [(vector + [0] * cols)[:cols] for vector in vectors[:step_rows]]
    return (entering + held)[:rows]


class OperandDealer(wiring.Component):
    """Deals the vectors of a step's kernel rows evenly over the array's rows, in the same cycle."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "arriving_rows": In(3),  # kernel rows of the next cycle's vectors
                "vectors": In(data.ArrayLayout(8 * config.rows, ROW_BANKS)),  # int8, of successive kernel rows
                "dealt": Out(8 * config.rows),  # a byte per array row
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = self.config.rows
        # Two bits that most of the operands' bits see: fewer ways, and nothing to decode when the vectors are there.
        last_row = Signal(range(ROW_BANKS), reset_less=True)
        m.d.sync += last_row.eq(self.arriving_rows - 1)
        most_rows = min(ROW_BANKS, rows)
        with m.Switch(last_row):
            for step_rows in range(1, most_rows + 1):
                with m.Case(step_rows - 1) if step_rows < most_rows else m.Default():
                    m.d.comb += self.dealt.eq(
                        Cat(self.vectors[row][: rows // step_rows * 8] for row in range(step_rows))
                    )
        return m


class OperandRows(wiring.Component):
    """Each array row's operands; they stay until a step brings others. All columns share them: row r has byte r.

    In a step of a sliding window (``slide``: depthwise, average pool) each column has its own channel instead: the new
    operands enter the first ``step_rows`` array rows and what those held moves ``step_rows`` rows on, so that the rows
    hold the last few columns of the window.
    """

    latency = 1

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "arriving": In(ControlLayout),  # control of the next cycle's operands
                "vectors": In(data.ArrayLayout(8 * config.rows, ROW_BANKS)),  # int8, of successive kernel rows
                "shared": In(8 * config.rows),  # zero in a step of a sliding window
                "rows": Out(data.ArrayLayout(8 * config.cols, config.rows)),  # a byte per column
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows, cols = self.config.rows, self.config.cols
        width = 8 * cols
        channels: list[Value] = [
            Cat(self.vectors[index], Const(0, max(0, width - 8 * rows)))[:width] for index in range(ROW_BANKS)
        ]
        registers = [Signal(width, name=f"row_{row}", reset_less=True) for row in range(rows)]
        # Every bit depends on what the step does: it is decoded as the step arrives.
        most_rows = min(ROW_BANKS, rows)
        moves = Signal(reset_less=True)
        """Operands do not stay."""
        slides_by, enters = Signal(most_rows, reset_less=True), Signal(most_rows, reset_less=True)
        """By how many rows operands slide, from 1 on, a bit each; into which rows new ones enter then."""
        arriving = self.arriving
        m.d.sync += [
            moves.eq(Mux(arriving.slide, arriving.fetch, arriving.mac)),
            slides_by.eq(Cat(arriving.slide & (arriving.step_rows == by) for by in range(1, 1 + most_rows))),
            enters.eq(Cat(arriving.slide & (arriving.step_rows > row) for row in range(most_rows))),
        ]
        with m.If(moves):
            for row, register in enumerate(registers):
                choices = [(slides_by[by - 1], registers[row - by]) for by in range(1, 1 + min(row, most_rows))]
                choices += [(enters[row], channels[row])] if row < most_rows else []
                own = (chosen.replicate(width) & source for chosen, source in choices)
                m.d.sync += register.eq(reduce(or_, own, self.shared.word_select(row, 8).replicate(cols)))
        m.d.comb += self.rows.eq(Cat(registers))
        return m
