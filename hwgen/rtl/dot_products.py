"""Dot products: the array's rows x cols multipliers and an adder tree per column."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.rtl.operand_rows import Rows


def dot_products(operands: Rows, weights: Rows) -> list[int]:
    """Golden: each column's sum over the rows of operand times weight; ``weights`` are column by column."""
    return [
        sum(row[col] * weight for row, weight in zip(operands, column, strict=True))
        for col, column in enumerate(weights)
    ]


def adder_levels(config: AcceleratorConfig) -> int:
    """Levels of a column's adder tree."""
    return (config.rows - 1).bit_length()


def product_bits(config: AcceleratorConfig) -> int:
    """Width of a column's dot product."""
    return 16 + adder_levels(config)


class DotProducts(wiring.Component):
    """Every column's dot product of its operands with its weights, in every cycle; a register after each operation."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        self.levels = adder_levels(config)
        super().__init__(
            {
                "rows": In(data.ArrayLayout(8 * config.cols, config.rows)),  # int8, a byte per column
                "weights": In(8 * config.multipliers),  # int8, column by column
                "sums": Out(data.ArrayLayout(signed(product_bits(config)), config.cols)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the operands to ``sums``."""
        return 1 + self.levels

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = self.config.rows
        for col in range(self.config.cols):
            terms = []
            for row in range(rows):
                product = Signal(signed(16), name=f"product_{col}_{row}", reset_less=True)
                operand = self.rows[row].word_select(col, 8).as_signed()
                m.d.sync += product.eq(operand * self.weights.word_select(col * rows + row, 8).as_signed())
                terms.append(product)
            for level in range(self.levels):
                sums = []
                for pair in range(0, len(terms), 2):
                    total = Signal(signed(17 + level), name=f"sum_{col}_{level}_{pair // 2}", reset_less=True)
                    m.d.sync += total.eq(sum(terms[pair + 1 : pair + 2], terms[pair]))
                    sums.append(total)
                terms = sums
            m.d.comb += self.sums[col].eq(terms[0])
        return m
