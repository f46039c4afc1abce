"""Elementwise adder: scales the two operands of an addition in turn and sums them."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.isa import AddLayout
from hwgen.rtl.prescale import PrescaleLane, ScaleLayout
from hwgen.rtl.step import ControlLayout


class EltwiseAdder(wiring.Component):
    """One prescale lane per element serves both operands: left vectors alternate with right ones."""

    latency = PrescaleLane.latency + 1
    """Cycles from the right operand to ``sums``."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.lanes = config.eltwise_lanes
        super().__init__(
            {
                "arriving": In(ControlLayout),  # a cycle before the operands; add and right matter
                "operands": In(8 * self.lanes),
                "instruction": In(AddLayout),  # held from its first operand's arrival until its last has passed
                "valid": Out(1),  # sums are there
                "sums": Out(data.ArrayLayout(signed(32), self.lanes)),  # until the next
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Operands find their scale in registers: to choose it in front of every subtraction would be a way too far.
        control = Signal(ControlLayout)
        zero_point, scale = Signal(signed(8), reset_less=True), Signal(ScaleLayout, reset_less=True)
        left, right = (
            {name: self.instruction[f"{side}_{name}"] for name in ("zero", "multiplier", "shift")}
            for side in ("left", "right")
        )
        m.d.sync += [
            control.eq(self.arriving),
            zero_point.eq(Mux(self.arriving.right, right["zero"], left["zero"])),
            scale.multiplier.eq(Mux(control.right, right["multiplier"], left["multiplier"])),
            scale.shift.eq(Mux(control.right, right["shift"], left["shift"])),
        ]
        # The lanes stand still, and cost no energy, while nothing passes them.
        passing, works = Signal(PrescaleLane.latency - 2), Signal()
        m.d.sync += [passing.eq(Cat(control.add, passing)), works.eq(control.add | passing.any())]
        complete = control.add & control.right
        for stage in range(PrescaleLane.latency):
            delayed = Signal(name=f"complete_{stage}")
            m.d.sync += delayed.eq(complete)
            complete = delayed
        m.d.sync += self.valid.eq(complete)
        for index in range(self.lanes):
            lane = PrescaleLane()
            m.submodules[f"prescale_{index}"] = lane
            left = Signal(signed(32), name=f"left_{index}", reset_less=True)
            m.d.comb += [
                lane.value.eq(self.operands[8 * index : 8 * index + 8]),
                lane.zero_point.eq(zero_point),
                lane.scale.eq(scale),
                lane.works.eq(works),
            ]
            m.d.sync += left.eq(lane.result)
            with m.If(complete):
                m.d.sync += self.sums[index].eq(left + lane.result)
        return m
