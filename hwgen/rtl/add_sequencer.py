"""Addition sequencer: reads the two operands of an ADD instruction in turn, a vector of each."""

from __future__ import annotations

from collections.abc import Mapping

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS, INSTRUCTION_BITS, AddLayout
from hwgen.rtl.act_buffer import row_places
from hwgen.rtl.step import ControlLayout, StepFields, step_layout


def add_steps(add: Mapping[str, int], lanes: int) -> list[StepFields]:
    """Golden: the steps of an ADD instruction, left and right in turn, ``lanes`` elements of each."""
    operands = [row_places(0, add[f"{side}_address"], add["pitch"], add["rows"]) for side in ("left", "right")]
    unused = [*(name for name, _ in ControlLayout), "offset", "pad_value", "weight_address"]
    return [
        {
            **dict.fromkeys(unused, 0),
            "fetch": 1,
            "add": 1,
            "right": right,
            "fetched": {0: (bank, (address + position) % 2**ACT_ADDRESS_BITS)},
            "rows_valid": 1,
            "row_bytes": lanes,
            "input_low": -128,
            "input_high": 127,
        }
        for places in zip(*operands, strict=True)
        for position in range(0, add["row_elements"], lanes)
        for right, (bank, address) in enumerate(places)
    ]


class AddSequencer(wiring.Component):
    """Two steps for every ``eltwise_lanes`` elements of a row."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "instructions": In(stream.Signature(INSTRUCTION_BITS)),
                "announced": In(1),  # what is offered is taken over until it is accepted; early in a cycle
                "instruction": Out(AddLayout),  # the instruction being walked, valid until the next is announced
                "step": Out(step_layout(config)),  # all zero where there is none
                "active": Out(1),  # an instruction is being walked
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.config.eltwise_lanes
        position = Signal(ACT_ADDRESS_BITS + 1, reset_less=True)
        row = Signal(12, reset_less=True)
        row_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        right = Signal()
        # Known in registers by the right operand's step, which comes a cycle after the left one's at the same place.
        row_last, last_row = Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += [
            row_last.eq(position + lanes >= self.instruction.row_elements),
            last_row.eq(row == self.instruction.rows - 1),
        ]
        last = right & row_last & last_row
        bank_bits = ROW_BANKS.bit_length() - 1
        m.d.comb += self.instructions.ready.eq(~self.active)
        with m.If(self.active):
            m.d.sync += right.eq(~right)
            with m.If(right):
                m.d.sync += position.eq(position + lanes)
                with m.If(row_last):
                    m.d.sync += [position.eq(0), row.eq(row + 1)]
                    with m.If(row[:bank_bits] == ROW_BANKS - 1):
                        m.d.sync += row_address.eq(row_address + self.instruction.pitch)
            with m.If(last):
                m.d.sync += self.active.eq(0)
        with m.If(self.instructions.valid & self.instructions.ready):
            m.d.sync += self.active.eq(1)
        with m.If(self.announced):
            m.d.sync += [
                self.instruction.eq(data.View(AddLayout, self.instructions.payload)),
                right.eq(0),
                position.eq(0),
                row.eq(0),
                row_address.eq(0),
            ]

        partial = Signal(self.step.shape())
        operand = Mux(right, self.instruction.right_address, self.instruction.left_address)
        vector = Signal(ACT_ADDRESS_BITS, reset_less=True)
        m.d.sync += [
            partial.control.add.eq(self.active),
            partial.control.fetch.eq(self.active),
            partial.control.right.eq(right),
            partial.fetch.rows.eq(1),
            partial.fetch.bank.eq(row[:bank_bits]),
            partial.fetch.address.eq(operand + row_address),
            partial.rows_valid.eq(1),
            partial.row_bytes.eq(lanes),
            partial.input_low.eq(-128),
            partial.input_high.eq(127),
            vector.eq(position),
            self.step.eq(0),
        ]
        with m.If(partial.control.add):
            m.d.sync += [self.step.eq(partial), self.step.fetch.address.eq(partial.fetch.address + vector)]
        return m
