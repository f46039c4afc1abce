"""Output-stationary array: rows x cols multipliers, an adder tree per column, partial sums in its register file."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.rtl.step import ControlLayout, slot_bits

ACC_BITS = 32

Rows = list[list[int]]
"""Operands of each array row, one per column."""


def deal_operands(vectors: Rows, step_rows: int, held: Rows) -> Rows:
    """Golden: rows' operands once ``step_rows`` vectors are dealt evenly over them; rows left over keep theirs."""
    rows, cols = len(held), len(held[0])
    share = rows // step_rows
    dealt = [[vectors[row // share][row % share]] * cols for row in range(share * step_rows)]
    return dealt + held[len(dealt) :]


def slide_operands(vectors: Rows, step_rows: int, held: Rows) -> Rows:
    """Golden: rows' operands once ``step_rows`` vectors, a channel per column, have pushed the others on."""
    rows, cols = len(held), len(held[0])
    entering = [(vector + [0] * cols)[:cols] for vector in vectors[:step_rows]]
    return (entering + held)[:rows]


def dot_products(operands: Rows, weights: Rows) -> list[int]:
    """Golden: each column's sum over the rows of operand times weight; ``weights`` are column by column."""
    return [
        sum(row[col] * weight for row, weight in zip(operands, column, strict=True))
        for col, column in enumerate(weights)
    ]


def array_latency(config: AcceleratorConfig) -> int:
    """Cycles from the array's operands to ``block_done``."""
    return 3 + (config.rows - 1).bit_length()


class OutputStationaryArray(wiring.Component):
    """Every cycle, each column takes the dot product of its operands with its weights into one register-file entry.

    The columns share their operands: row r has one of the lanes fetched, which are dealt evenly over the kernel rows
    read together. In a step of a sliding window (``slide``: depthwise, average pool) each column has its own channel
    instead: the new operands enter the first ``step_rows`` array rows and what those held moves ``step_rows`` rows on,
    so that the rows hold the last few columns of the window.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "control": In(ControlLayout),  # beside the operands
                "operands": In(data.ArrayLayout(8 * config.rows, ROW_BANKS)),  # int8 vectors of successive kernel rows
                "weights": In(8 * config.multipliers),  # int8, column by column; a cycle after the operands
                "block_done": Out(1),  # pulse: a block's last partial sums are in the register file
                "drain_slot": In(slot_bits(config)),  # entry to read
                "drained": Out(ACC_BITS * config.cols),  # its partial sums, in the same cycle
            }
        )

    @property
    def latency(self) -> int:
        return array_latency(self.config)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows, cols = self.config.rows, self.config.cols
        levels = (rows - 1).bit_length()

        controls = [self.control]
        for stage in range(levels + 2):
            delayed = Signal(ControlLayout, name=f"control_{stage}")
            m.d.sync += delayed.eq(controls[-1])
            controls.append(delayed)
        control = controls[-1]

        depth = 2 ** slot_bits(self.config)
        storage = memory.Memory(shape=ACC_BITS * cols, depth=depth, init=[])
        m.submodules.register_file = storage
        write = storage.write_port()
        current, drain = storage.read_port(domain="comb"), storage.read_port(domain="comb")
        m.d.comb += [
            current.addr.eq(control.slot),
            write.addr.eq(control.slot),
            write.en.eq(control.mac),
            drain.addr.eq(self.drain_slot),
            self.drained.eq(drain.data),
        ]
        m.d.sync += self.block_done.eq(control.mac & control.block_end)

        row_operands = self._row_operands(m)
        for col in range(cols):
            terms = []
            for row in range(rows):
                product = Signal(signed(16), name=f"product_{col}_{row}", reset_less=True)
                operand = row_operands[row][8 * col : 8 * col + 8].as_signed()
                byte = 8 * (col * rows + row)
                m.d.sync += product.eq(operand * self.weights[byte : byte + 8].as_signed())
                terms.append(product)
            for level in range(levels):
                sums = []
                for pair in range(0, len(terms), 2):
                    total = Signal(signed(17 + level), name=f"sum_{col}_{level}_{pair // 2}", reset_less=True)
                    m.d.sync += total.eq(sum(terms[pair + 1 : pair + 2], terms[pair]))
                    sums.append(total)
                terms = sums
            held = current.data[ACC_BITS * col : ACC_BITS * (col + 1)].as_signed()
            combined = Signal(signed(ACC_BITS), name=f"combined_{col}")
            with m.If(control.first):
                m.d.comb += combined.eq(terms[0])
            with m.Elif(control.take_maximum):
                m.d.comb += combined.eq(Mux(held > terms[0], held, terms[0]))
            with m.Else():
                m.d.comb += combined.eq(held + terms[0])
            m.d.comb += write.data[ACC_BITS * col : ACC_BITS * (col + 1)].eq(combined)
        return m

    def _row_operands(self, m: Module) -> list[Signal]:
        """Each array row's operands, a byte per column."""
        rows, cols = self.config.rows, self.config.cols
        width = 8 * cols
        vectors = [self.operands[index] for index in range(ROW_BANKS)]
        channels: list[Value] = [Cat(vector, Const(0, max(0, width - len(vector))))[:width] for vector in vectors]
        registers = [Signal(width, name=f"operands_{row}", reset_less=True) for row in range(rows)]
        with m.If(self.control.slide):
            with m.If(self.control.fetch):
                with m.Switch(self.control.step_rows):
                    for step_rows in range(1, min(ROW_BANKS, rows) + 1):
                        with m.Case(step_rows):
                            following = [*channels[:step_rows], *registers][:rows]
                            m.d.sync += [to.eq(source) for to, source in zip(registers, following, strict=True)]
        with m.Else():
            with m.Switch(self.control.step_rows):
                for step_rows in range(1, min(ROW_BANKS, rows) + 1):
                    with m.Case(step_rows):
                        share = rows // step_rows
                        for row in range(share * step_rows):
                            lane = vectors[row // share][8 * (row % share) : 8 * (row % share) + 8]
                            m.d.sync += registers[row].eq(lane.replicate(cols))
        return registers
