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

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS, INSTRUCTION_BITS, WORD_ADDRESS_BITS, MacLayout
from hwgen.rtl.step import OFFSET_BITS, entry_bits, most_macs, slot_bits, step_layout

ROW_BITS = 14
"""Of a row, counted from the first that is stored; padding has rows before and behind them."""


def passes_layout(width: int) -> data.StructLayout:
    """Passes of a loop that are left, with this one, and whether it is the last or the one before."""
    return data.StructLayout({"count": width, "last": 1, "before_last": 1})


def _passes(count: Value) -> Value:
    """A number of passes, as ``passes_layout`` has it."""
    return Cat(count, count == 1, count == 2)


def _less_one(left: data.View[data.StructLayout]) -> Value:
    """The same after a pass that was not the last: whether the next is, has been known."""
    return Cat((left.count - 1)[: len(left.count)], left.before_last, left.count == 3)


class MacSequencer(wiring.Component):
    """Follows one instruction with the next without a gap; pauses only while a pixel has no partial sum to go to."""

    latency = 3
    """Cycles from a loop position to its ``step``."""
    return_latency = 1
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
        word = Signal(INSTRUCTION_BITS, reset_less=True)
        mac = data.View(MacLayout, word)
        incoming = data.View(MacLayout, self.instructions.payload)
        block_pixels = self.config.block_pixels

        # Loops count down. That a pass is the last is not read off its number, which may be known late.
        def loop_counters(prefix: str, *names: str) -> dict[str, data.View[data.StructLayout]]:
            return {
                name: Signal(passes_layout(len(mac[name])), name=f"{prefix}_{name}", reset_less=True) for name in names
            }

        reduction_loops = ("columns", "segment_steps", "kernel_steps")
        loops = (*reduction_loops, "chunk_steps", "out_width", "out_height", "groups")
        passes, left = loop_counters("passes", *loops), loop_counters("left", *loops)
        offered = {loop: _passes(incoming[loop]) for loop in loops}
        block_passes = _passes(Const(block_pixels, block_pixels.bit_length()))
        left["pixels"] = Signal(passes_layout(block_pixels.bit_length()), name="left_pixels", reset_less=True)
        chunk_left, block_left = loop_counters("chunk", *reduction_loops), loop_counters("block", *loops[-3:-1])
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
        first_chunk = Signal(reset_less=True)
        passed_columns = Signal(entry_bits(self.config), reset_less=True)
        """Columns by which the block's pixels have moved on: operands that two pixels share stay in their entries."""
        group_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        group_weights = Signal(WORD_ADDRESS_BITS, reset_less=True)
        partial_sums = self.config.partial_sums
        block_slot, slot = Signal(slot_bits(self.config)), Signal(slot_bits(self.config))
        free_slots = Signal(range(partial_sums + 1), init=partial_sums)
        full, one_free = Signal(), Signal()
        """No partial sum is free; or one."""
        returned = Signal()
        """The drain, which is far away, has given one back."""
        enters_pixel = Signal()
        """This is the chunk's first step on its pixel."""

        new_columns = Signal(7, reset_less=True)
        """Columns of the window that a pixel does not share with the one before."""
        before_next = Signal(7, reset_less=True)
        """One more: passes left at the column before ``next_column``."""
        new_passes = {
            loop: Signal.like(left[loop], name=f"new_{loop}", reset_less=True) for loop in ("columns", "chunk_steps")
        }
        """As passes of the loops that take them."""
        slides_on = Signal(reset_less=True)
        """There are others."""

        # What ends with a step is known in registers as it comes, because almost all others wait to hear it. They
        # follow from what the counters are after a step, or, where none is left, once an instruction is taken up; that
        # this step leaves is known late, and only enables them.
        foreseen = [*(counter.as_value() for counter in left.values()), first_chunk, enters_pixel]
        after = [Signal.like(register, name=f"after_{register.name}") for register in foreseen]
        moves, taken_up, done = Signal(), Signal(), Signal(reset_less=True)
        m.d.comb += [
            taken_up.eq(~self.active | done),
            moves.eq(~self.active | self.issuing),
            self.instructions.ready.eq(moves & taken_up),
            *(then.eq(now) for now, then in zip(foreseen, after, strict=True)),
        ]
        with m.If(moves):
            m.d.sync += [now.eq(then) for now, then in zip(foreseen, after, strict=True)]

        def become(register: Signal | data.View[data.StructLayout], value: ValueLike) -> None:
            """Of the foreseen: after the step, under the conditions of the context."""
            (then,) = (then for now, then in zip(foreseen, after, strict=True) if now is Value.cast(register))
            m.d.comb += then.eq(value)

        last = {name: counter.last for name, counter in left.items()}
        column_last, row_ends = last["columns"], last["columns"] & last["segment_steps"]
        kernel_last, chunk_last = Signal(reset_less=True), Signal(reset_less=True)
        tile_last, pixel_last = Signal(reset_less=True), Signal(reset_less=True)
        *after_left, after_first_chunk, after_enters_pixel = after
        ends = {
            name: data.View(counter.shape(), then).last
            for (name, counter), then in zip(left.items(), after_left, strict=True)
        }
        ends_kernel = ends["columns"] & ends["segment_steps"] & ends["kernel_steps"]
        ends_tile = ends["out_width"] & ends["out_height"]
        after_slide, after_accumulate = (Mux(taken_up, incoming[name], mac[name]) for name in ("slide", "accumulate"))
        ends_row = after_slide & ends["out_width"]
        ends_pixels = ends_tile | ends["pixels"] | ends_row
        with m.If(moves):
            m.d.sync += [
                kernel_last.eq(ends_kernel),
                chunk_last.eq(ends_kernel | ends["chunk_steps"]),
                tile_last.eq(ends_tile),
                pixel_last.eq(ends_pixels),
                done.eq(ends_kernel & ends_pixels & ends_tile & ends["groups"]),
            ]
        following_slot = Mux(slot == partial_sums - 1, 0, slot + 1)

        # So is whether the step may leave, which all of them wait to hear as well.
        takes_slot, after_takes_slot = Signal(reset_less=True), Signal()
        after_full, takes = Signal(), Signal()
        after_active = Mux(self.instructions.ready, self.instructions.valid, self.active)
        starts_pixel = after_first_chunk & after_enters_pixel & ~after_accumulate
        m.d.comb += [
            after_takes_slot.eq(Mux(moves, starts_pixel, takes_slot)),
            takes.eq(self.issuing & takes_slot),
            after_full.eq(~returned & (full | (takes & one_free))),
            self.waiting.eq(self.active & ~self.issuing),
        ]
        m.d.sync += [
            takes_slot.eq(after_takes_slot),
            self.active.eq(after_active),
            self.issuing.eq(after_active & ~(after_takes_slot & after_full)),
            full.eq(after_full),
            returned.eq(self.slot_drained),
        ]
        with m.If(takes != returned):
            m.d.sync += [
                free_slots.eq(Mux(returned, free_slots + 1, free_slots - 1)),
                one_free.eq(Mux(returned, full, free_slots == 2)),
            ]

        def less_one(loop: str, ends: Value) -> Value:
            """What is left of a loop, one less where an inner one ends: ready before it is known whether that does."""
            return Mux(ends, _less_one(left[loop]), left[loop])

        # The pixel after this one, in row-major order over the tile.
        x_last = last["out_width"]
        following_pixel = {
            "out_width": Mux(x_last, passes["out_width"], _less_one(left["out_width"])),
            "out_height": less_one("out_height", x_last),
        }
        pixel_position = [
            (row_begins, block_row_begins, x_last, 1),
            (row, block_row, Mux(x_last, row + mac.row_stride, row), mac.first_row),
            (offset, block_offset, Mux(x_last, mac.first_offset, offset + mac.x_step), mac.first_offset),
        ]
        # The column after this one: of the window, in the next step along its width, in the next along its height.
        following_weights = weights + (~mac.weights_constant & (column_last | ~mac.slide))
        following_column = {
            "columns": Mux(column_last, passes["columns"], _less_one(left["columns"])),
            "segment_steps": Mux(row_ends, passes["segment_steps"], less_one("segment_steps", column_last)),
            "kernel_steps": less_one("kernel_steps", row_ends),
        }
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
        before_next_column = left["columns"].count == before_next

        # Positions are chosen by one decision each: what follows is late, out of an addition.
        advances, repeats = ~chunk_last | (pixel_last & ~kernel_last), chunk_last & ~pixel_last
        to_next_pixel = ~pixel_last | (kernel_last & ~tile_last)

        def next_column(start: ValueLike, following: ValueLike, initial: ValueLike) -> Value:
            return Mux(advances, following, Mux(repeats, start, initial))

        def next_pixel(start: ValueLike, following: ValueLike, initial: ValueLike) -> Value:
            return Mux(to_next_pixel, following, Mux(kernel_last, initial, start))

        # What is left after the step.
        become(enters_pixel, chunk_last)
        for loop, count in following_column.items():
            become(left[loop], next_column(chunk_left[loop], count, passes[loop]))
        with m.If(chunk_last):
            become(left["chunk_steps"], passes["chunk_steps"])
            for loop, count in following_pixel.items():
                become(left[loop], next_pixel(block_left[loop], count, passes[loop]))
        with m.If(~chunk_last):
            become(left["chunk_steps"], _less_one(left["chunk_steps"]))
        with m.Elif(~pixel_last):
            become(left["pixels"], _less_one(left["pixels"]))
            with m.If(slides_on):
                # The array has all columns of the next pixel but the last few.
                for loop, counter in new_passes.items():
                    become(left[loop], counter)
        with m.Elif(~kernel_last):
            become(left["pixels"], block_passes)
            become(first_chunk, 0)
        with m.Else():
            become(left["pixels"], block_passes)
            become(first_chunk, 1)
            with m.If(tile_last):
                become(left["groups"], _less_one(left["groups"]))
        with m.If(taken_up):
            for loop in loops:
                become(left[loop], offered[loop])
            become(left["pixels"], block_passes)
            become(first_chunk, 1)
            become(enters_pixel, 1)

        # Where it is.
        with m.If(self.issuing & before_next_column):
            m.d.sync += next_column_offset.eq(column_offset + mac.column_stride)
        with m.If(self.issuing):
            m.d.sync += [
                current.eq(next_column(start, following, initial))
                for current, start, following, initial in column_position
            ]
        with m.If(self.issuing & chunk_last):
            m.d.sync += [
                current.eq(next_pixel(start, following, initial))
                for current, start, following, initial in pixel_position
            ]
        with m.If(self.issuing & chunk_last & pixel_last):
            m.d.sync += [
                *(
                    chunk_left[loop].eq(Mux(kernel_last, passes[loop], count))
                    for loop, count in following_column.items()
                ),
                *(start.eq(Mux(kernel_last, initial, following)) for _, start, following, initial in column_position),
            ]
        with m.If(self.issuing & chunk_last & pixel_last & kernel_last):
            m.d.sync += [
                *(block_left[loop].eq(Mux(tile_last, passes[loop], count)) for loop, count in following_pixel.items()),
                *(start.eq(Mux(tile_last, initial, following)) for _, start, following, initial in pixel_position),
            ]
        begins_block = [first_pixel.eq(1), entry.eq(0), passed_columns.eq(0)]
        with m.If(self.issuing & ~chunk_last):
            m.d.sync += [weights.eq(following_weights), entry.eq(entry + 1)]
        with m.Elif(self.issuing & ~pixel_last):
            m.d.sync += [
                first_pixel.eq(0),
                weights.eq(chunk_weights),
                entry.eq(0),
                slot.eq(following_slot),
                passed_columns.eq(passed_columns + new_columns),
            ]
            with m.If(slides_on):
                m.d.sync += column_offset.eq(next_column_offset)
        with m.Elif(self.issuing & ~kernel_last):
            m.d.sync += [
                *begins_block,
                weights.eq(following_weights),
                chunk_weights.eq(following_weights),
                slot.eq(block_slot),
            ]
        with m.Elif(self.issuing):
            m.d.sync += [*begins_block, slot.eq(block_slot)]
            with m.If(~mac.hold):
                m.d.sync += [slot.eq(following_slot), block_slot.eq(following_slot)]
            with m.If(~tile_last):
                m.d.sync += [weights.eq(group_weights), chunk_weights.eq(group_weights)]
            with m.Else():
                m.d.sync += group_offset.eq(group_offset + mac.group_stride)
                next_weights = Mux(mac.weights_shared, group_weights, following_weights)
                m.d.sync += [signal.eq(next_weights) for signal in (weights, chunk_weights, group_weights)]

        # Whatever is offered is taken up, so that these many registers do not wait to hear whether it is valid.
        with m.If(self.instructions.ready):
            m.d.sync += [
                *begins_block,
                word.eq(self.instructions.payload),
                *(
                    counters[loop].eq(offered[loop])
                    for counters in (passes, chunk_left, block_left)
                    for loop in counters
                ),
                *(
                    signal.eq(0)
                    for signal in (column_offset, chunk_column_offset, segment_offset, chunk_segment_offset)
                ),
                *(signal.eq(0) for signal in (kernel_row, chunk_kernel_row, group_offset)),
                *(signal.eq(1) for signal in (row_begins, block_row_begins)),
                *(signal.eq(incoming.first_row) for signal in (row, block_row)),
                *(signal.eq(incoming.first_offset) for signal in (offset, block_offset)),
                *(signal.eq(incoming.weight_address) for signal in (weights, chunk_weights, group_weights)),
                new_columns.eq(incoming.columns - incoming.next_column),
                before_next.eq(incoming.columns - incoming.next_column + 1),
                slides_on.eq(incoming.slide & (incoming.next_column != 0)),
            ]

        # These follow a cycle later: a first pixel that others slide on from takes two columns at least.
        m.d.sync += [counter.eq(_passes(new_columns[: len(counter.count)])) for counter in new_passes.values()]

        # First cycle: the first kernel row of the step, and the vector's place in it.
        first = Signal(self.step.shape())
        first_row = Signal(signed(ROW_BITS), reset_less=True)
        pixel_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        kernel_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        base, pitch_1 = Signal(ACT_ADDRESS_BITS, reset_less=True), Signal(ACT_ADDRESS_BITS, reset_less=True)
        step_rows_1 = Signal(3, reset_less=True)
        in_rows = Signal(12, reset_less=True)
        makes_step = chunk_last | ~mac.slide
        issued, begins = Signal(), Signal(reset_less=True)
        column_shared, entry_shared = Signal(reset_less=True), Signal(reset_less=True)
        """A step left the loops; its pixel follows no other of the block in the row; one that it would follow had its
        column, and in this chunk."""
        lanes = Mux(last["segment_steps"], mac.last_lanes, mac.lanes)
        rows = Mux(last["kernel_steps"], mac.last_rows, mac.step_rows)
        channels = Mux(last["groups"], mac.last_channels, mac.group_channels)
        lanes_1, rows_1, channels_1 = (Signal(width, reset_less=True) for width in (6, 3, 6))
        m.d.sync += [
            issued.eq(self.issuing),
            begins.eq(first_pixel | row_begins),
            column_shared.eq(left["columns"].count > new_columns),
            entry_shared.eq(left["chunk_steps"].count > new_columns),
            first.control.mac.eq(self.issuing & makes_step),
            first.control.first.eq(first_chunk & ~mac.accumulate),
            first.control.chunk_first.eq(mac.slide | (entry == 0)),
            first.control.chunk_last.eq(chunk_last),
            first.control.take_maximum.eq(mac.take_maximum),
            first.control.complete.eq(kernel_last & ~mac.hold),
            first.control.held.eq(done & mac.hold),
            first.control.slot.eq(slot),
            first.control.new_weights.eq(self.issuing & makes_step & first_pixel),
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
