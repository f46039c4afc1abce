"""MAC sequencer: walks a MAC instruction's loops, one fetch per cycle.

Loops, from the outside::

    for group of output channels:
        for block of up to rf_depth output pixels:      their partial sums stay in the register file
            for step along the kernel's height:         step_rows kernel rows are read together
                for step along its width:               one weight word
                    for pixel of the block:
                        for column of its window:       where it slides only, and only the columns that are new

A block of an instruction with ``slide`` (depthwise, average pool) ends with the output row, along which the window
slides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS, INSTRUCTION_BITS, WORD_ADDRESS_BITS, MacLayout
from hwgen.rtl.step import OFFSET_BITS, StepFields, StepLayout, slot_bits

ROW_BITS = 14


def mac_steps(program: Sequence[Mapping[str, int]], config: AcceleratorConfig) -> list[tuple[StepFields, bool]]:
    """Golden: every step of some MAC instructions, and whether sums of its bank are then complete and to be drained."""
    steps: list[tuple[StepFields, bool]] = []
    bank = 0
    for mac in program:
        for step in _instruction_steps(mac, config, bank):
            drained = bool(step["block_end"] and not mac["hold"])
            steps.append((step, drained))
            bank ^= drained
    return steps


def _instruction_steps(mac: Mapping[str, int], config: AcceleratorConfig, bank: int) -> Iterator[StepFields]:
    """Golden: the steps of one instruction, in order; ``bank`` is the half of the register file that it begins in."""
    bank_bit = slot_bits(config) - 1
    reduction = [(kernel, segment) for kernel in range(mac["kernel_steps"]) for segment in range(mac["segment_steps"])]
    for group in range(mac["groups"]):
        for block in _blocks(mac, config.rf_depth):
            for number, (kernel_step, segment_step) in enumerate(reduction):
                for pixel, (y, x) in enumerate(block):
                    row = mac["first_row"] + y * mac["row_stride"] + kernel_step * mac["step_rows"]
                    rows = [row + index for index in range(mac["step_rows"])]
                    word = number + (0 if mac["weights_shared"] else group * len(reduction))
                    kernel_rows = mac["last_rows"] if kernel_step == mac["kernel_steps"] - 1 else mac["step_rows"]
                    lanes = mac["last_lanes"] if segment_step == mac["segment_steps"] - 1 else mac["lanes"]
                    channels = mac["last_channels"] if group == mac["groups"] - 1 else mac["group_channels"]
                    for column in range(mac["next_column"] if pixel else 0, mac["columns"]):
                        offset = (
                            mac["first_offset"]
                            + x * mac["x_step"]
                            + segment_step * mac["segment_stride"]
                            + column * mac["column_stride"]
                            + group * mac["group_stride"]
                        )
                        column_last = column == mac["columns"] - 1
                        yield {
                            "fetch": 1,
                            "mac": int(column_last),
                            "first": int(number == 0 and not mac["accumulate"]),
                            "take_maximum": mac["take_maximum"],
                            "block_end": int(number == len(reduction) - 1 and pixel == len(block) - 1 and column_last),
                            "slot": pixel | bank << bank_bit,
                            "slide": mac["slide"],
                            "step_rows": mac["step_rows"],
                            "add": 0,
                            "right": 0,
                            "fetched": {
                                index: (row % ROW_BANKS, (_row_address(mac, row) + offset) % 2**ACT_ADDRESS_BITS)
                                for index, row in enumerate(rows)
                                if 0 <= row < mac["in_rows"]
                            },
                            "rows_valid": sum(0 <= row < mac["in_rows"] and 1 << i for i, row in enumerate(rows)),
                            "offset": offset,
                            "row_bytes": mac["in_row_bytes"],
                            "pad_value": mac["pad_value"],
                            "input_low": mac["input_low"],
                            "input_high": mac["input_high"],
                            "weight_address": mac["weight_address"] + (0 if mac["weights_constant"] else word),
                            "macs": lanes * kernel_rows * channels,
                        }
            if not mac["hold"]:
                bank = 1 - bank


def _blocks(mac: Mapping[str, int], rf_depth: int) -> list[list[tuple[int, int]]]:
    """The pixels, (row, column), of each block; where the window slides, a block ends with the output row."""
    rows = [[(y, x) for x in range(mac["out_width"])] for y in range(mac["out_height"])]
    runs = rows if mac["slide"] else [[pixel for row in rows for pixel in row]]
    return [run[start : start + rf_depth] for run in runs for start in range(0, len(run), rf_depth)]


def _row_address(mac: Mapping[str, int], row: int) -> int:
    """First byte of a stored row, in its bank."""
    return mac["in_address"] + row // ROW_BANKS * mac["in_pitch"]


class MacSequencer(wiring.Component):
    """Follows one instruction with the next without a gap; pauses only while both banks hold undrained sums."""

    latency = 3
    """Cycles from a loop position to its ``step``."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "instructions": In(stream.Signature(INSTRUCTION_BITS)),
                "bank_drained": In(1),  # pulse: the drain has emptied a bank
                "step": Out(StepLayout),  # control.fetch says whether there is one
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

        # Position of the block's first pixel and of the current one.
        block_x, x = Signal(12, reset_less=True), Signal(12, reset_less=True)
        block_y, y = Signal(12, reset_less=True), Signal(12, reset_less=True)
        block_row, row = Signal(signed(ROW_BITS), reset_less=True), Signal(signed(ROW_BITS), reset_less=True)
        block_offset, offset = Signal(signed(OFFSET_BITS)), Signal(signed(OFFSET_BITS))
        pixel = Signal(range(max(2, rf_depth)), reset_less=True)
        # Position within the kernel.
        kernel_step = Signal(8, reset_less=True)
        kernel_row = Signal(10, reset_less=True)
        segment_step = Signal(14, reset_less=True)
        segment_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        column = Signal(6, reset_less=True)
        column_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        next_column_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        """Offset of ``next_column``, noted as the block's first pixel passes it."""
        group = Signal(12, reset_less=True)
        group_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        group_weights = Signal(WORD_ADDRESS_BITS, reset_less=True)
        weights = Signal(WORD_ADDRESS_BITS, reset_less=True)
        bank = Signal()

        column_last = column == mac.columns - 1
        x_last = x == mac.out_width - 1
        tile_last = x_last & (y == mac.out_height - 1)
        pixel_last = tile_last | (pixel == rf_depth - 1) | (mac.slide & x_last)
        segment_last = segment_step == mac.segment_steps - 1
        kernel_step_last = kernel_step == mac.kernel_steps - 1
        kernel_last = segment_last & kernel_step_last
        kernel_first = (segment_step == 0) & (kernel_step == 0)
        block_last = kernel_last & pixel_last & column_last
        group_last = group == mac.groups - 1
        done = block_last & tile_last & group_last

        banks_used = Signal(2)
        opens_bank = kernel_first & (pixel == 0) & (column == 0) & ~mac.accumulate
        m.d.comb += [
            self.waiting.eq(self.active & opens_bank & (banks_used == 2)),
            self.issuing.eq(self.active & ~self.waiting),
            self.instructions.ready.eq(~self.active | (self.issuing & done)),
        ]
        m.d.sync += banks_used.eq(banks_used + (self.issuing & opens_bank) - self.bank_drained)

        # The pixel after this one, in row-major order over the tile.
        pixel_position = [
            (x, block_x, Mux(x_last, 0, x + 1), 0),
            (y, block_y, Mux(x_last, y + 1, y), 0),
            (row, block_row, Mux(x_last, row + mac.row_stride, row), mac.first_row),
            (
                offset,
                block_offset,
                Mux(x_last, mac.first_offset, offset + mac.x_step),
                mac.first_offset,
            ),
        ]
        with m.If(self.issuing & ~column_last):
            m.d.sync += [column.eq(column + 1), column_offset.eq(column_offset + mac.column_stride)]
            with m.If(column + 1 == mac.next_column):
                m.d.sync += next_column_offset.eq(column_offset + mac.column_stride)
        with m.If(self.issuing & column_last):
            with m.If(~pixel_last):
                # A sliding window has all columns of the next pixel but the last few.
                m.d.sync += [
                    pixel.eq(pixel + 1),
                    column.eq(mac.next_column),
                    column_offset.eq(Mux(mac.next_column == 0, 0, next_column_offset)),
                ]
                m.d.sync += [current.eq(following) for current, _, following, _ in pixel_position]
            with m.Else():
                m.d.sync += [
                    pixel.eq(0),
                    column.eq(0),
                    column_offset.eq(0),
                    weights.eq(weights + ~mac.weights_constant),
                ]
                with m.If(~segment_last):
                    m.d.sync += [
                        segment_step.eq(segment_step + 1),
                        segment_offset.eq(segment_offset + mac.segment_stride),
                    ]
                with m.Else():
                    m.d.sync += [
                        segment_step.eq(0),
                        segment_offset.eq(0),
                        kernel_step.eq(kernel_step + 1),
                        kernel_row.eq(kernel_row + mac.step_rows),
                    ]
                with m.If(~kernel_last):
                    m.d.sync += [current.eq(start) for current, start, _, _ in pixel_position]
                with m.Else():
                    m.d.sync += [kernel_step.eq(0), kernel_row.eq(0)]
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
                        ]
                        with m.If(mac.weights_shared):
                            m.d.sync += weights.eq(group_weights)
                        with m.Else():
                            m.d.sync += group_weights.eq(weights + ~mac.weights_constant)

        with m.If(self.issuing & done):
            m.d.sync += self.active.eq(0)
        with m.If(self.instructions.valid & self.instructions.ready):
            m.d.sync += [
                word.eq(self.instructions.payload),
                self.active.eq(1),
                pixel.eq(0),
                column.eq(0),
                column_offset.eq(0),
                kernel_step.eq(0),
                kernel_row.eq(0),
                segment_step.eq(0),
                segment_offset.eq(0),
                group.eq(0),
                group_offset.eq(0),
                group_weights.eq(incoming.weight_address),
                weights.eq(incoming.weight_address),
            ]
            initial_position = [0, 0, incoming.first_row, incoming.first_offset]
            for (current, start, _, _), initial in zip(pixel_position, initial_position, strict=True):
                m.d.sync += [current.eq(initial), start.eq(initial)]

        # First cycle: the first kernel row of the step, and the vector's place in it.
        first = Signal(StepLayout)
        first_row = Signal(signed(ROW_BITS), reset_less=True)
        pixel_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        kernel_offset = Signal(signed(OFFSET_BITS), reset_less=True)
        base, pitch_1 = Signal(ACT_ADDRESS_BITS, reset_less=True), Signal(ACT_ADDRESS_BITS, reset_less=True)
        step_rows_1 = Signal(3, reset_less=True)
        in_rows = Signal(12, reset_less=True)
        lanes = Mux(segment_last, mac.last_lanes, mac.lanes)
        rows = Mux(kernel_step_last, mac.last_rows, mac.step_rows)
        channels = Mux(group_last, mac.last_channels, mac.group_channels)
        lanes_1, channels_1 = Signal(9, reset_less=True), Signal(6, reset_less=True)
        m.d.sync += [
            first.control.fetch.eq(self.issuing),
            first.control.mac.eq(self.issuing & column_last),
            first.control.first.eq(kernel_first & ~mac.accumulate),
            first.control.take_maximum.eq(mac.take_maximum),
            first.control.block_end.eq(block_last),
            first.control.slot.eq(pixel | (bank << (slot_bits(self.config) - 1))),
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
            lanes_1.eq(lanes * rows),
            channels_1.eq(channels),
        ]

        # Second cycle: which rows are stored, and the first one's address in its bank.
        second = Signal(StepLayout)
        row_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        vector_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        pitch_2 = Signal(ACT_ADDRESS_BITS, reset_less=True)
        bank_bits = ROW_BANKS.bit_length() - 1
        stored = [
            (first_row + index >= 0) & (first_row + index < in_rows) & (step_rows_1 > index)
            for index in range(ROW_BANKS)
        ]
        m.d.sync += [
            second.eq(first),
            second.rows_valid.eq(Cat(stored)),
            second.fetch.rows.eq(Cat(stored)),
            second.fetch.bank.eq(first_row[:bank_bits]),
            second.offset.eq(pixel_offset + kernel_offset),
            second.macs.eq(lanes_1 * channels_1),
            row_address.eq((first_row >> bank_bits) * pitch_1),
            vector_address.eq(base + pixel_offset + kernel_offset),
            pitch_2.eq(pitch_1),
        ]

        # Third cycle: the step.
        m.d.sync += [
            self.step.eq(second),
            self.step.fetch.address.eq(vector_address + row_address),
            self.step.fetch.wrapped_address.eq(vector_address + row_address + pitch_2),
        ]
        return m
