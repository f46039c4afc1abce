"""Addition sequencer: reads the two operands of an ADD instruction in turn, a vector of each."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS, INSTRUCTION_BITS, AddLayout
from hwgen.rtl.step import StepLayout


class AddSequencer(wiring.Component):
    """Two steps for every ``eltwise_lanes`` elements."""

    latency = 2
    """Cycles from a loop position to its ``step``, as the MAC sequencer's."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "instructions": In(stream.Signature(INSTRUCTION_BITS)),
                "instruction": Out(AddLayout),  # the instruction being walked, valid until the next is accepted
                "step": Out(StepLayout),  # control.add says whether there is one
                "active": Out(1),  # an instruction is being walked
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.config.eltwise_lanes
        position = Signal(ACT_ADDRESS_BITS + 1, reset_less=True)
        right = Signal()
        last = right & (position + lanes >= self.instruction.elements)
        m.d.comb += self.instructions.ready.eq(~self.active)
        with m.If(self.active):
            m.d.sync += right.eq(~right)
            with m.If(right):
                m.d.sync += position.eq(position + lanes)
            with m.If(last):
                m.d.sync += self.active.eq(0)
        with m.If(self.instructions.valid & self.instructions.ready):
            m.d.sync += [
                self.instruction.eq(data.View(AddLayout, self.instructions.payload)),
                self.active.eq(1),
                right.eq(0),
                position.eq(0),
            ]

        partial = Signal(StepLayout)
        with m.If(right):
            m.d.sync += partial.address.eq(self.instruction.right_address + position)
        with m.Else():
            m.d.sync += partial.address.eq(self.instruction.left_address + position)
        m.d.sync += [
            partial.control.add.eq(self.active),
            partial.control.right.eq(right),
            partial.row_valid.eq(1),
            partial.row_bytes.eq(lanes),
            partial.input_low.eq(-128),
            partial.input_high.eq(127),
            self.step.eq(partial),
        ]
        return m
