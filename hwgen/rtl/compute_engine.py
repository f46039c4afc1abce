"""Compute engine: sequencers, operand stage, array, adder and drain around the activation buffer."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect

from hwgen.config import ROW_BANKS, AcceleratorConfig, Dataflow
from hwgen.isa import (
    PARAMETER_BYTES,
    WORD_ADDRESS_BITS,
    AddLayout,
    MacLayout,
)
from hwgen.rtl.act_buffer import PlaceLayout
from hwgen.rtl.add_sequencer import AddSequencer
from hwgen.rtl.drain import Drain, DrainLayout
from hwgen.rtl.eltwise_adder import EltwiseAdder
from hwgen.rtl.instruction_gate import ReleasedComputationLayout
from hwgen.rtl.load_engine import parameter_bits
from hwgen.rtl.mac_sequencer import MacSequencer
from hwgen.rtl.multiplier_array import Array
from hwgen.rtl.operand_stage import OperandStage
from hwgen.rtl.os_array import OutputStationaryArray
from hwgen.rtl.queue import Queue
from hwgen.rtl.ram import Ram, RamShape
from hwgen.rtl.requantise import ParameterLayout
from hwgen.rtl.rs_array import RowStationaryArray
from hwgen.rtl.step import ControlLayout, FetchLayout, most_macs, step_layout
from hwgen.rtl.ws_array import WeightStationaryArray

DESCRIPTORS = 4
"""Instructions issued and not yet drained."""
ARRAYS: dict[Dataflow, type[Array]] = {
    Dataflow.OS: OutputStationaryArray,
    Dataflow.WS: WeightStationaryArray,
    Dataflow.RS: RowStationaryArray,
}


def weight_shape(config: AcceleratorConfig) -> RamShape:
    """Of the weight buffer: a word has a byte per multiplier."""
    width = 8 * config.multipliers
    return RamShape(width, config.weight_words, granule=width)


def parameter_shape(config: AcceleratorConfig) -> RamShape:
    """Of the parameter buffer."""
    width = data.ArrayLayout(ParameterLayout, config.requant_lanes).size
    return RamShape(width, config.parameter_words, granule=width)


class ComputeEngine(wiring.Component):
    """Holds the weight and parameter buffers, which only it reads."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "instructions": In(stream.Signature(ReleasedComputationLayout)),  # whose waits are satisfied
                "fetch": Out(FetchLayout),
                "fetched": In(data.ArrayLayout(8 * config.rows, ROW_BANKS)),
                "write_strobe": Out(config.requant_lanes),
                "write_place": Out(PlaceLayout),
                "write_data": Out(8 * config.requant_lanes),
                "word": In(8 * max(config.multipliers, PARAMETER_BYTES * config.requant_lanes)),  # from the load engine
                "word_address": In(WORD_ADDRESS_BITS),
                "weight_write": In(1),
                "parameter_write": In(1),
                "retire": Out(1),  # pulse: an instruction's results are in the activation buffer
                "issuing": Out(1),  # the array or the adder takes a step
                "active": Out(1),  # a sequencer walks an instruction
                "waiting_drain": Out(1),  # the array waits for the drain
                "macs": Out(range(most_macs(config) + 1)),  # multiply-accumulates of the network in this cycle
                "weight_reads": Out(1),  # a word of the weight buffer is read
                "weight_file_used": Out(1),  # each processing element reads or writes its register file of weights
                "input_file_used": Out(1),  # each array row reads or writes its register file of operands
                "psum_updates": Out(1),  # each column reads and writes a partial sum
                "requantised": Out(range(config.requant_lanes + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.mac_sequencer = macs = MacSequencer(config)
        m.submodules.add_sequencer = adds = AddSequencer(config)
        m.submodules.operand_stage = operand_stage = OperandStage(config)
        m.submodules.array = array = ARRAYS[config.dataflow](config)
        m.submodules.adder = adder = EltwiseAdder(config)
        m.submodules.drain = drain = Drain(config)
        m.submodules.weight_buffer = weight_buffer = Ram(weight_shape(config), latency=2)
        m.submodules.parameter_buffer = parameter_buffer = Ram(parameter_shape(config))
        m.submodules.descriptors = descriptors = Queue(DrainLayout, depth=DESCRIPTORS)

        # Dispatch: a computation is announced to the drain as it starts. An addition bypasses the array, so it
        # starts only when the drain has come to it.
        instruction, is_add = self.instructions.payload.instruction, self.instructions.payload.is_add
        mac, add = data.View(MacLayout, instruction), data.View(AddLayout, instruction)
        announced = Signal()
        m.d.comb += [
            adds.announced.eq(announced),
            macs.instructions.payload.eq(instruction),
            adds.instructions.payload.eq(instruction),
            macs.instructions.valid.eq(self.instructions.valid & ~is_add & descriptors.input.ready & ~adds.active),
            adds.instructions.valid.eq(self.instructions.valid & is_add & announced & drain.add_ready),
            self.instructions.ready.eq(
                Mux(
                    is_add,
                    announced & drain.add_ready & adds.instructions.ready,
                    macs.instructions.ready & descriptors.input.ready & ~adds.active,
                )
            ),
        ]
        # The adder reads its scales as the operands arrive: the previous addition's last must have left it.
        adder_idle = ~adds.active & ~drain.add_ready
        announces_add = (
            self.instructions.valid & is_add & ~announced & ~macs.active & descriptors.input.ready & adder_idle
        )
        with m.If(announces_add):
            m.d.sync += announced.eq(1)
        with m.Elif(adds.instructions.valid & adds.instructions.ready):
            m.d.sync += announced.eq(0)
        descriptor = Signal(DrainLayout)
        shared = {
            name: Mux(is_add, add[name], mac[name])
            for name in ("out_address", "parameter_address", "rounding", "zero_point", "clamp_low", "clamp_high")
        }
        m.d.comb += [
            descriptor.is_add.eq(is_add),
            descriptor.row_elements.eq(add.row_elements),
            descriptor.hold.eq(mac.hold & ~is_add),
            descriptor.out_address.eq(shared["out_address"]),
            descriptor.out_bank.eq(Mux(is_add, 0, mac.out_bank)),
            descriptor.out_pitch.eq(Mux(is_add, add.pitch, mac.out_pitch)),
            descriptor.out_step.eq(mac.out_step),
            descriptor.out_width.eq(mac.out_width),
            descriptor.out_height.eq(Mux(is_add, add.rows, mac.out_height)),
            descriptor.groups.eq(mac.groups),
            descriptor.group_channels.eq(mac.group_channels),
            descriptor.last_channels.eq(mac.last_channels),
            descriptor.parameter_address.eq(shared["parameter_address"]),
            descriptor.parameters_constant.eq(mac.parameters_constant),
            descriptor.mode.rounding.eq(shared["rounding"]),
            descriptor.mode.zero_point.eq(shared["zero_point"]),
            descriptor.mode.clamp_low.eq(shared["clamp_low"]),
            descriptor.mode.clamp_high.eq(shared["clamp_high"]),
            descriptors.input.payload.eq(descriptor),
            descriptors.input.valid.eq((macs.instructions.valid & macs.instructions.ready) | announces_add),
        ]
        connect(m, descriptors.output, drain.descriptors)

        # Fetch: operands and weights arrive at the array together.
        step = Signal(step_layout(config))
        m.d.comb += [
            step.eq(adds.step.as_value() | macs.step.as_value()),
            self.fetch.eq(step.fetch),
            self.fetch.rows.eq(Mux(step.control.fetch, step.fetch.rows, 0)),
            operand_stage.step.eq(step),
            operand_stage.fetched.eq(self.fetched),
        ]
        beside = [Cat(step.control.as_value(), step.weight_address)]
        for stage in range(OperandStage.latency):
            delayed = Signal(len(beside[0]), name=f"beside_{stage}")
            m.d.sync += delayed.eq(beside[-1])
            beside.append(delayed)
        controls = [data.View(ControlLayout, stage[: ControlLayout.size]) for stage in beside]
        control_before = controls[-2]
        reads_weights = controls[-1 - weight_buffer.latency].new_weights
        m.d.comb += [
            weight_buffer.read_address.eq(beside[-1 - weight_buffer.latency][ControlLayout.size :]),
            weight_buffer.read_enable.eq(reads_weights),
            weight_buffer.write_address.eq(self.word_address),
            weight_buffer.write_data.eq(self.word),
            weight_buffer.write_enable.eq(self.weight_write),
            array.arriving.eq(control_before),
            array.vectors.eq(operand_stage.operands),
            array.weights.eq(weight_buffer.read_data),
            adder.arriving.eq(control_before),
            adder.operands.eq(operand_stage.operands[0]),
            adder.instruction.eq(adds.instruction),
        ]

        # Results.
        m.d.comb += [
            parameter_buffer.read_address.eq(drain.parameter_address),
            drain.parameters.eq(parameter_buffer.read_data),
            parameter_buffer.write_address.eq(self.word_address),
            parameter_buffer.write_data.eq(parameter_bits(self.word, config.requant_lanes)),
            parameter_buffer.write_enable.eq(self.parameter_write),
            drain.pixel_done.eq(array.pixel_done),
            drain.hold_done.eq(array.hold_done),
            macs.slot_drained.eq(drain.slot_drained),
            array.drain_slot.eq(drain.drain_slot),
            drain.drained.eq(array.drained),
            drain.sums_valid.eq(adder.valid),
            drain.sums.eq(adder.sums),
            self.write_strobe.eq(drain.write_strobe),
            self.write_place.eq(drain.write_place),
            self.write_data.eq(drain.write_data),
            self.retire.eq(drain.retire),
            self.issuing.eq(macs.issuing | adds.active),
            self.active.eq(macs.active | adds.active),
            self.waiting_drain.eq(macs.waiting),
            self.macs.eq(macs.macs),
            self.weight_reads.eq(reads_weights),
            self.weight_file_used.eq(array.weight_file_used),
            self.input_file_used.eq(array.input_file_used),
            self.psum_updates.eq(step.control.mac & step.control.chunk_last),
            self.requantised.eq(drain.requantised),
        ]
        return m
