"""MAC sequencer: walks a MAC instruction's loops, one array step per cycle.

for group of output channels:
    for block of up to rf_depth output pixels:          (their partial sums stay in the register file)
        for kernel row: for step along it:              (one weight word)
            for pixel of the block:                     (one operand vector)
"""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS, INSTRUCTION_BITS, WORD_ADDRESS_BITS, MacLayout
from hwgen.rtl.step import OFFSET_BITS, StepLayout, slot_bits


class MacSequencer(wiring.Component):
    """Follows one instruction with the next without a gap; pauses only while both banks hold undrained sums."""

    latency = 2
    """Cycles from a loop position to its ``step``."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "instructions": In(stream.Signature(INSTRUCTION_BITS)),
                "bank_drained": In(1),  # pulse: the drain has emptied a bank
                "step": Out(StepLayout),  # control.mac says whether there is one
                "active": Out(1),  # an instruction is being walked
                "issuing": Out(1),  # a step leaves the loops in this cycle
                "waiting": Out(1),  # both banks hold undrained sums
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Signal(INSTRUCTION_BITS, reset_less=True)
        mac = data.View(MacLayout, word)
        incoming = data.View(MacLayout, self.instructions.payload)
        rf_depth = self.config.rf_depth

        # Position of the block's first pixel, of the current pixel, and of the step within the kernel.
        block_x, x = Signal(12, reset_less=True), Signal(12, reset_less=True)
        block_y, y = Signal(12, reset_less=True), Signal(12, reset_less=True)
        block_row, row = Signal(signed(14), reset_less=True), Signal(signed(14), reset_less=True)
        block_address, address = Signal(ACT_ADDRESS_BITS, reset_less=True), Signal(ACT_ADDRESS_BITS, reset_less=True)
        block_offset, offset = Signal(signed(OFFSET_BITS)), Signal(signed(OFFSET_BITS))
        pixel = Signal(range(max(2, rf_depth)), reset_less=True)
        kernel_row = Signal(8, reset_less=True)
        kernel_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        segment_step = Signal(14, reset_less=True)
        segment_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        group = Signal(12, reset_less=True)
        group_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        group_weights, weights = Signal(WORD_ADDRESS_BITS, reset_less=True), Signal(WORD_ADDRESS_BITS, reset_less=True)
        bank = Signal()

        x_last = x == mac.out_width - 1
        tile_last = x_last & (y == mac.out_height - 1)
        pixel_last = tile_last | (pixel == rf_depth - 1)
        segment_last = segment_step == mac.segment_steps - 1
        kernel_last = segment_last & (kernel_row == mac.kernel_rows - 1)
        kernel_first = (segment_step == 0) & (kernel_row == 0)
        block_last = kernel_last & pixel_last
        group_last = group == mac.groups - 1
        done = block_last & tile_last & group_last

        banks_used = Signal(2)
        opens_bank = kernel_first & (pixel == 0) & ~mac.accumulate
        m.d.comb += [
            self.waiting.eq(self.active & opens_bank & (banks_used == 2)),
            self.issuing.eq(self.active & ~self.waiting),
            self.instructions.ready.eq(~self.active | (self.issuing & done)),
        ]
        m.d.sync += banks_used.eq(banks_used + (self.issuing & opens_bank) - self.bank_drained)

        # The pixel after this one, in row-major order over the tile.
        next_x = Mux(x_last, 0, x + 1)
        next_y = Mux(x_last, y + 1, y)
        next_row = Mux(x_last, row + mac.row_stride, row)
        next_address = Mux(x_last, address + mac.row_step, address)[:ACT_ADDRESS_BITS]
        next_offset = Mux(x_last, mac.first_offset, offset + mac.x_step)
        pixel_position = [
            (x, block_x, next_x, 0),
            (y, block_y, next_y, 0),
            (row, block_row, next_row, mac.first_row),
            (address, block_address, next_address, mac.first_address),
            (offset, block_offset, next_offset, mac.first_offset),
        ]
        with m.If(self.issuing):
            with m.If(~pixel_last):
                m.d.sync += pixel.eq(pixel + 1)
                m.d.sync += [current.eq(following) for current, _, following, _ in pixel_position]
            with m.Else():
                m.d.sync += [pixel.eq(0), weights.eq(weights + ~mac.weights_constant)]
                with m.If(~segment_last):
                    m.d.sync += [
                        segment_step.eq(segment_step + 1),
                        segment_offset.eq(segment_offset + mac.segment_stride),
                    ]
                with m.Else():
                    m.d.sync += [
                        segment_step.eq(0),
                        segment_offset.eq(0),
                        kernel_row.eq(kernel_row + 1),
                        kernel_address.eq(kernel_address + mac.in_pitch),
                    ]
                with m.If(~kernel_last):
                    m.d.sync += [current.eq(start) for current, start, _, _ in pixel_position]
                with m.Else():
                    m.d.sync += [kernel_row.eq(0), kernel_address.eq(0)]
                    with m.If(~mac.hold):
                        m.d.sync += bank.eq(~bank)
                    with m.If(~tile_last):
                        for current, start, following, _ in pixel_position:
                            m.d.sync += [current.eq(following), start.eq(following)]
                        m.d.sync += weights.eq(group_weights)
                    with m.Else():
                        for current, start, _, initial in pixel_position:
                            m.d.sync += [current.eq(initial), start.eq(initial)]
                        m.d.sync += [
                            group.eq(group + 1),
                            group_offset.eq(group_offset + mac.group_stride),
                            group_weights.eq(weights + ~mac.weights_constant),
                        ]

        with m.If(self.issuing & done):
            m.d.sync += self.active.eq(0)
        with m.If(self.instructions.valid & self.instructions.ready):
            m.d.sync += [
                word.eq(self.instructions.payload),
                self.active.eq(1),
                pixel.eq(0),
                kernel_row.eq(0),
                kernel_address.eq(0),
                segment_step.eq(0),
                segment_offset.eq(0),
                group.eq(0),
                group_offset.eq(0),
                group_weights.eq(incoming.weight_address),
                weights.eq(incoming.weight_address),
            ]
            initial_position = [
                0,
                0,
                incoming.first_row,
                incoming.first_address,
                incoming.first_offset,
            ]
            for (current, start, _, _), initial in zip(pixel_position, initial_position, strict=True):
                m.d.sync += [current.eq(initial), start.eq(initial)]

        # First cycle: partial sums of the address; second: the step.
        partial = Signal(StepLayout)
        in_row = row + kernel_row
        lanes = Mux(segment_last, mac.last_lanes, mac.lanes)
        channels = Mux(group_last, mac.last_channels, mac.group_channels)
        slot_width = slot_bits(self.config)
        m.d.sync += [
            partial.control.mac.eq(self.issuing),
            partial.control.first.eq(kernel_first & ~mac.accumulate),
            partial.control.take_maximum.eq(mac.take_maximum),
            partial.control.block_end.eq(block_last),
            partial.control.slot.eq(pixel | (bank << (slot_width - 1))),
            partial.address.eq(address + kernel_address),
            partial.offset.eq(offset + segment_offset + group_offset),
            partial.row_valid.eq((in_row >= 0) & (in_row < mac.in_rows)),
            partial.row_bytes.eq(mac.in_row_bytes),
            partial.pad_value.eq(mac.pad_value),
            partial.input_low.eq(mac.input_low),
            partial.input_high.eq(mac.input_high),
            partial.weight_address.eq(weights),
            partial.macs.eq(lanes * channels),
        ]
        m.d.sync += [self.step.eq(partial), self.step.address.eq(partial.address + partial.offset)]
        return m
