"""MAC sequencer: walks a MAC instruction's loops, one step per cycle, in the same order for every dataflow.

Loops, from the outside::

    for group of output channels:
        for block of up to block_pixels output pixels:  the array holds their partial sums
            for chunk of the reduction:                 chunk_steps columns; the array holds their weights
                for pixel of the block:
                    for column of the chunk:            of the window, in a step along its width and its height

A chunk is one column where partial sums are what is stationary; where weights are, it is what a register file holds
of them. Where the window slides through the array (``slide``: depthwise, average pool) a chunk is the columns of one
step: those that are new to the pixel enter the array, and the last of them makes the step. A block then ends with the
output row. Elsewhere each column is a step, and its operands are fetched unless the pixel before in the row had them in
the chunk.
"""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS, INSTRUCTION_BITS, WORD_ADDRESS_BITS, MacLayout
from hwgen.rtl.mac_loops import MacLoops, at_next_column, at_next_pixel
from hwgen.rtl.step import OFFSET_BITS, entry_bits, most_macs, slot_bits, step_layout

ROW_BITS = 14
"""Of a row, counted from the first that is stored; padding has rows before and behind them."""


class MacSequencer(wiring.Component):
    """Follows one instruction with the next without a gap; pauses only while a pixel has no partial sum to go to."""

    latency = 3
    """Cycles from a loop position to its ``step``."""
    return_latency = MacLoops.return_latency
    """Cycles from the one after a partial sum is drained to that in which a pixel may take it."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "instructions": In(stream.Signature(INSTRUCTION_BITS)),
                "slot_drained": In(1),  # pulse: the drain has taken a partial sum
                "step": Out(step_layout(config)),  # all zero where there is none, neither control.fetch nor control.mac
                "macs": Out(
                    range(most_macs(config) + 1)
                ),  # multiply-accumulates of the network in the step a cycle before
                "active": Out(1),  # an instruction is being walked
                "issuing": Out(1),  # a step leaves the loops in this cycle
                "waiting": Out(1),  # all partial sums are in use
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.loops = loops = MacLoops(self.config)
        mac = data.View(MacLayout, loops.instruction)
        incoming = data.View(MacLayout, self.instructions.payload)
        connect(m, flipped(self.instructions), loops.instructions)
        m.d.comb += [
            loops.slot_drained.eq(self.slot_drained),
            self.active.eq(loops.active),
            self.issuing.eq(loops.issuing),
            self.waiting.eq(loops.active & ~loops.issuing),
        ]

        # Position of the block's first pixel and of the current one.
        block_row_begins, row_begins = Signal(reset_less=True), Signal(reset_less=True)
        block_row, row = Signal(signed(ROW_BITS), reset_less=True), Signal(signed(ROW_BITS), reset_less=True)
        block_offset, offset = Signal(signed(OFFSET_BITS)), Signal(signed(OFFSET_BITS))
        first_pixel = Signal(reset_less=True)
        """Of the block."""
        # Position within the reduction, of the chunk's first column and of the current one.
        chunk_kernel_row, kernel_row = Signal(10, reset_less=True), Signal(10, reset_less=True)
        chunk_segment_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        segment_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        chunk_column_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        column_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        next_column_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        """Offset of ``next_column``, noted as the block's first pixel passes it."""
        chunk_weights, weights = Signal(WORD_ADDRESS_BITS, reset_less=True), Signal(WORD_ADDRESS_BITS, reset_less=True)
        entry = Signal(6, reset_less=True)
        """Columns of the chunk before this one."""
        passed_columns = Signal(entry_bits(self.config), reset_less=True)
        """Columns by which the block's pixels have moved on: operands that two pixels share stay in their entries."""
        group_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        group_weights = Signal(WORD_ADDRESS_BITS, reset_less=True)
        partial_sums = self.config.partial_sums
        block_slot, slot = Signal(slot_bits(self.config)), Signal(slot_bits(self.config))
        before_next = Signal(len(loops.columns_left) + 1, reset_less=True)
        """Passes left at the column before ``next_column``."""

        column_last, row_ends = loops.last.columns, loops.last.columns & loops.last.segment_steps
        following_slot = Mux(slot == partial_sums - 1, 0, slot + 1)
        # The pixel after this one, in row-major order over the tile.
        x_last = loops.last.out_width
        pixel_position = [
            (row_begins, block_row_begins, x_last, 1),
            (row, block_row, Mux(x_last, row + mac.row_stride, row), mac.first_row),
            (offset, block_offset, Mux(x_last, mac.first_offset, offset + mac.x_step), mac.first_offset),
        ]
        # The column after this one: of the window, in the next step along its width, in the next along its height.
        keeps_weights = mac.weights_constant | (mac.slide & ~column_last)
        following_weights = Mux(keeps_weights, weights, (weights + 1)[:WORD_ADDRESS_BITS])
        column_position = [
            (column_offset, chunk_column_offset, Mux(column_last, 0, column_offset + mac.column_stride), 0),
            (
                segment_offset,
                chunk_segment_offset,
                Mux(row_ends, 0, Mux(column_last, segment_offset + mac.segment_stride, segment_offset)),
                0,
            ),
            (kernel_row, chunk_kernel_row, Mux(row_ends, kernel_row + mac.step_rows, kernel_row), 0),
        ]

        with m.If(loops.issuing & (loops.columns_left == before_next)):
            m.d.sync += next_column_offset.eq(column_offset + mac.column_stride)
        with m.If(loops.issuing):
            m.d.sync += [
                current.eq(at_next_column(loops, start, following, initial))
                for current, start, following, initial in column_position
            ]
        with m.If(loops.issuing & loops.chunk_last):
            m.d.sync += [
                current.eq(at_next_pixel(loops, start, following, initial))
                for current, start, following, initial in pixel_position
            ]
        with m.If(loops.issuing & loops.chunk_last & loops.pixel_last):
            m.d.sync += [
                start.eq(Mux(loops.kernel_last, initial, following)) for _, start, following, initial in column_position
            ]
        with m.If(loops.issuing & loops.chunk_last & loops.pixel_last & loops.kernel_last):
            m.d.sync += [
                start.eq(Mux(loops.tile_last, initial, following)) for _, start, following, initial in pixel_position
            ]
        begins_block = [first_pixel.eq(1), entry.eq(0), passed_columns.eq(0)]
        with m.If(loops.issuing & ~loops.chunk_last):
            m.d.sync += [weights.eq(following_weights), entry.eq(entry + 1)]
        with m.Elif(loops.issuing & ~loops.pixel_last):
            m.d.sync += [
                first_pixel.eq(0),
                weights.eq(chunk_weights),
                entry.eq(0),
                slot.eq(following_slot),
                passed_columns.eq(passed_columns + loops.new_columns),
            ]
            with m.If(loops.slides_on):
                m.d.sync += column_offset.eq(next_column_offset)
        with m.Elif(loops.issuing & ~loops.kernel_last):
            m.d.sync += [
                *begins_block,
                weights.eq(following_weights),
                chunk_weights.eq(following_weights),
                slot.eq(block_slot),
            ]
        with m.Elif(loops.issuing):
            m.d.sync += [*begins_block, slot.eq(block_slot)]
            with m.If(~mac.hold):
                m.d.sync += [slot.eq(following_slot), block_slot.eq(following_slot)]
            with m.If(~loops.tile_last):
                m.d.sync += [weights.eq(group_weights), chunk_weights.eq(group_weights)]
            with m.Else():
                m.d.sync += group_offset.eq(group_offset + mac.group_stride)
                next_weights = Mux(mac.weights_shared, group_weights, following_weights)
                m.d.sync += [signal.eq(next_weights) for signal in (weights, chunk_weights, group_weights)]

        # Whatever is offered is taken up, so that these many registers do not wait to hear whether it is valid.
        with m.If(loops.instructions.ready):
            m.d.sync += [
                *begins_block,
                *(
                    signal.eq(0)
                    for signal in (column_offset, chunk_column_offset, segment_offset, chunk_segment_offset)
                ),
                *(signal.eq(0) for signal in (kernel_row, chunk_kernel_row, group_offset)),
                *(signal.eq(1) for signal in (row_begins, block_row_begins)),
                *(signal.eq(incoming.first_row) for signal in (row, block_row)),
                *(signal.eq(incoming.first_offset) for signal in (offset, block_offset)),
                *(signal.eq(incoming.weight_address) for signal in (weights, chunk_weights, group_weights)),
                before_next.eq(incoming.columns - incoming.next_column + 1),
            ]

        # First cycle: the first kernel row of the step, and the vector's place in it.
        first = Signal(self.step.shape())
        first_row = Signal(signed(ROW_BITS), reset_less=True)
        pixel_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        kernel_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        base, pitch_1 = Signal(ACT_ADDRESS_BITS, reset_less=True), Signal(ACT_ADDRESS_BITS, reset_less=True)
        step_rows_1 = Signal(3, reset_less=True)
        in_rows = Signal(12, reset_less=True)
        makes_step = loops.chunk_last | ~mac.slide
        issued, begins = Signal(), Signal(reset_less=True)
        column_shared, entry_shared = Signal(reset_less=True), Signal(reset_less=True)
        """A step left the loops; its pixel follows no other of the block in the row; one that it would follow had its
        column, and in this chunk."""
        lanes = Mux(loops.last.segment_steps, mac.last_lanes, mac.lanes)
        rows = Mux(loops.last.kernel_steps, mac.last_rows, mac.step_rows)
        channels = Mux(loops.last.groups, mac.last_channels, mac.group_channels)
        lanes_1, rows_1, channels_1 = (Signal(width, reset_less=True) for width in (6, 3, 6))
        m.d.sync += [
            issued.eq(loops.issuing),
            begins.eq(first_pixel | row_begins),
            column_shared.eq(loops.columns_left > loops.new_columns),
            entry_shared.eq(loops.chunk_steps_left > loops.new_columns),
            first.control.mac.eq(loops.issuing & makes_step),
            first.control.first.eq(loops.first_chunk & ~mac.accumulate),
            first.control.chunk_first.eq(mac.slide | (entry == 0)),
            first.control.chunk_last.eq(loops.chunk_last),
            first.control.take_maximum.eq(mac.take_maximum),
            first.control.complete.eq(loops.kernel_last & ~mac.hold),
            first.control.held.eq(loops.done & mac.hold),
            first.control.slot.eq(slot),
            first.control.new_weights.eq(loops.issuing & makes_step & first_pixel),
            first.control.weight_entry.eq(Mux(mac.slide, 0, entry)),
            first.control.input_entry.eq(Mux(mac.slide, 0, (entry + passed_columns)[: len(passed_columns)])),
            first.control.slide.eq(mac.slide),
            first.control.step_rows.eq(mac.step_rows),
            first.row_bytes.eq(mac.in_row_bytes),
            first.pad_value.eq(mac.pad_value),
            first.input_low.eq(mac.input_low),
            first.input_high.eq(mac.input_high),
            first.weight_address.eq(weights),
            first_row.eq(row + kernel_row),
            pixel_offset.eq(offset + column_offset),
            kernel_offset.eq(segment_offset + group_offset),
            base.eq(mac.in_address),
            pitch_1.eq(mac.in_pitch),
            step_rows_1.eq(mac.step_rows),
            in_rows.eq(mac.in_rows),
            lanes_1.eq(lanes),
            rows_1.eq(rows),
            channels_1.eq(channels),
        ]

        # Second cycle: which rows are stored, and the first one's address in its bank.
        second = Signal(self.step.shape())
        row_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        vector_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        pitch_2 = Signal(ACT_ADDRESS_BITS, reset_less=True)
        operands_2, channels_2 = Signal(9, reset_less=True), Signal(6, reset_less=True)
        bank_bits = ROW_BANKS.bit_length() - 1
        stored = [
            (first_row + index >= 0) & (first_row + index < in_rows) & (step_rows_1 > index)
            for index in range(ROW_BANKS)
        ]
        m.d.sync += [
            second.eq(first),
            second.control.fetch.eq(issued & (begins | ~column_shared | ~entry_shared)),
            second.rows_valid.eq(Cat(stored)),
            second.fetch.rows.eq(Cat(stored)),
            second.fetch.bank.eq(first_row[:bank_bits]),
            second.offset.eq(pixel_offset + kernel_offset),
            operands_2.eq(lanes_1 * rows_1),
            channels_2.eq(channels_1),
            row_address.eq((first_row >> bank_bits) * pitch_1),
            vector_address.eq(base + pixel_offset + kernel_offset),
            pitch_2.eq(pitch_1),
        ]

        # Third cycle: the step.
        m.d.sync += self.step.eq(0)
        with m.If(second.control.fetch | second.control.mac):
            m.d.sync += [
                self.step.eq(second),
                self.step.fetch.address.eq(vector_address + row_address),
                self.step.fetch.wrapped_address.eq(vector_address + row_address + pitch_2),
            ]

        # Beside it, a cycle for the way from one multiplier to the other: they lie where the chip has them, and a
        # register without reset can be the multiplier's own.
        operands_3, channels_3 = Signal(9, reset_less=True), Signal(6, reset_less=True)
        product = Signal.like(self.macs, reset_less=True)
        m.d.comb += self.macs.eq(product)
        m.d.sync += [
            operands_3.eq(operands_2),
            channels_3.eq(Mux(second.control.mac, channels_2, 0)),
            product.eq(operands_3 * channels_3),
        ]
        return m
