"""Multiplier array: what the arrays of all dataflows share, and their golden."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.rtl.dot_products import DotProducts, adder_levels, dot_products, product_bits
from hwgen.rtl.operand_rows import OperandDealer, OperandRows, Rows, deal_vectors, slide_operands
from hwgen.rtl.partial_sums import ACC_BITS, PartialSums
from hwgen.rtl.step import ControlLayout, StepFields, slot_bits


class ArrayGolden:
    """Golden: what an array of any dataflow holds after each step; no step asks for a register file that it lacks."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.rows: Rows = [[0] * config.cols for _ in range(config.rows)]
        self.inputs: dict[int, list[int]] = {}
        self.weights: dict[int, Rows] = {}
        self.running: list[int] = []
        self.sums: dict[int, list[int]] = {}
        """Partial sums by slot."""

    def step(self, step: StepFields, vectors: Rows, weights: Rows) -> None:
        """Take a step's operands, as fetched, and its weight word, column by column, each only where it is new.

        Dot products of which the maximum is kept are int8.
        """
        if step["slide"]:
            self.rows = slide_operands(vectors, step["step_rows"], self.rows)
        else:
            if step["fetch"]:
                self.inputs[step["input_entry"]] = deal_vectors(vectors, step["step_rows"], len(self.rows))
            self.rows = [
                [operand] * len(row) for operand, row in zip(self.inputs[step["input_entry"]], self.rows, strict=True)
            ]
        if not step["mac"]:
            return
        if step["new_weights"]:
            self.weights[step["weight_entry"]] = weights
        products = dot_products(self.rows, self.weights[step["weight_entry"]])
        combine = max if step["take_maximum"] else int.__add__
        assert combine is not max or all(-128 <= product < 128 for product in products)
        if step["chunk_first"] and step["first"]:
            self.running = products
        else:
            before = self.sums[step["slot"]] if step["chunk_first"] else self.running
            self.running = [combine(*pair) for pair in zip(before, products, strict=True)]
        if step["chunk_last"]:
            self.sums[step["slot"]] = self.running


def array_latency(config: AcceleratorConfig) -> int:
    """Cycles from an array's operands to ``pixel_done``, in every dataflow: dealing, operands, products, sums."""
    return 1 + OperandRows.latency + 1 + adder_levels(config) + 1


class MultiplierArray(wiring.Component):
    """Operand rows and dot products, with the control that belongs to each dot product.

    Dataflows differ in where its operands and weights come from and where its products go.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        self.operand_rows = OperandRows(config)
        self.dot_products = DotProducts(config)
        super().__init__(
            {
                "arriving": In(ControlLayout),  # control of the next cycle's operands
                "control": In(ControlLayout),  # and of these
                "vectors": In(data.ArrayLayout(8 * config.rows, ROW_BANKS)),  # operands where the window slides
                "shared": In(8 * config.rows),  # and where it does not: one per row; zero where it slides
                "weights": In(8 * config.multipliers),  # beside the operands
                "products": Out(data.ArrayLayout(signed(product_bits(config)), config.cols)),  # dot products by column
                "products_control": Out(ControlLayout),  # beside them
                "next_control": Out(ControlLayout),  # that of the next cycle's
                "following_slot": Out(slot_bits(config)),  # and the slot of the cycle's after it
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the operands to ``products``."""
        return self.operand_rows.latency + self.dot_products.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.operand_rows = operand_rows = self.operand_rows
        m.submodules.dot_products = dot_products = self.dot_products
        # Each multiplier's own, as the operands' rows are: a way across the array takes a cycle.
        weights = Signal(len(self.weights), reset_less=True)
        m.d.sync += weights.eq(self.weights)
        m.d.comb += [
            operand_rows.arriving.eq(self.arriving),
            operand_rows.vectors.eq(self.vectors),
            operand_rows.shared.eq(self.shared),
            dot_products.rows.eq(operand_rows.rows),
            dot_products.weights.eq(weights),
            self.products.eq(dot_products.sums),
        ]
        controls = [self.control]
        for stage in range(self.latency):
            delayed = Signal(ControlLayout, name=f"control_{stage}")
            m.d.sync += delayed.eq(controls[-1])
            controls.append(delayed)
        m.d.comb += [
            self.products_control.eq(controls[-1]),
            self.next_control.eq(controls[-2]),
            self.following_slot.eq(controls[-3].slot),
        ]
        return m


class Array(wiring.Component):
    """What every dataflow's array has: its ports, its latency, and the way from operands to partial sums."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        self.control = Signal(ControlLayout)
        """Beside the operands."""
        self.multipliers = MultiplierArray(config)
        super().__init__(
            {
                "arriving": In(ControlLayout),  # control of the next cycle's operands
                "vectors": In(data.ArrayLayout(8 * config.rows, ROW_BANKS)),  # int8, of successive kernel rows
                "weights": In(8 * config.multipliers),  # int8, column by column; beside the operands where new
                "pixel_done": Out(1),  # pulse: the next pixel's partial sums can be drained from the next cycle on
                "hold_done": Out(1),  # pulse: an instruction has left its partial sums to the next
                "drain_slot": In(slot_bits(config)),  # partial sums to read
                "drained": Out(ACC_BITS * config.cols),  # in the same cycle
                "weight_file_used": Out(1),  # each processing element reads or writes its register file of weights
                "input_file_used": Out(1),  # each array row reads or writes its register file of operands
            }
        )

    @property
    def latency(self) -> int:
        return array_latency(self.config)

    def stationary(self, m: Module, dealt: Value) -> tuple[Value, Value]:
        """What the dataflow makes of ``dealt`` operands, one per array row, and of the weights that arrive.

        Returns the operands that the multipliers take, zero where the window slides, and their weights, both a cycle
        later.
        """
        raise NotImplementedError

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dealer = dealer = OperandDealer(self.config)
        m.submodules.multipliers = multipliers = self.multipliers
        m.submodules.partial_sums = partial_sums = PartialSums(self.config)
        dealt_control, dealt_vectors = Signal(ControlLayout), Signal.like(self.vectors, reset_less=True)
        m.d.sync += [
            self.control.eq(self.arriving),
            dealt_control.eq(self.control),
            dealt_vectors.eq(self.vectors),
        ]
        shared, weights = self.stationary(m, dealer.dealt)
        m.d.comb += [
            dealer.arriving_rows.eq(self.arriving.step_rows),
            dealer.vectors.eq(self.vectors),
            multipliers.arriving.eq(self.control),
            multipliers.control.eq(dealt_control),
            multipliers.vectors.eq(dealt_vectors),
            multipliers.shared.eq(shared),
            multipliers.weights.eq(weights),
            partial_sums.following_slot.eq(multipliers.following_slot),
            partial_sums.next_control.eq(multipliers.next_control),
            partial_sums.control.eq(multipliers.products_control),
            partial_sums.products.eq(multipliers.products),
            self.pixel_done.eq(partial_sums.pixel_done),
            self.hold_done.eq(partial_sums.hold_done),
            partial_sums.drain_slot.eq(self.drain_slot),
            self.drained.eq(partial_sums.drained),
        ]
        return m
