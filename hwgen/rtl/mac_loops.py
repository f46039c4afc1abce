"""MAC loops: the passes of a MAC instruction that are left, what ends with each step, and whether it may leave."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.isa import INSTRUCTION_BITS, MacLayout

REDUCTION_LOOPS = ("columns", "segment_steps", "kernel_steps")
TILE_LOOPS = ("out_width", "out_height")
LOOPS = (*REDUCTION_LOOPS, "chunk_steps", *TILE_LOOPS, "groups")
"""Loops by the field of the instruction that has their number of passes."""
LastLayout = data.StructLayout(dict.fromkeys(LOOPS, 1))
"""Of each loop, whether its pass is the last."""
COLUMN_BITS = MacLayout["columns"].width
CHUNK_STEP_BITS = MacLayout["chunk_steps"].width


def passes_layout(width: int) -> data.StructLayout:
    """Passes of a loop that are left, with this one, and whether it is the last or the one before."""
    return data.StructLayout({"count": width, "last": 1, "before_last": 1})


def _passes(count: Value) -> Value:
    """A number of passes, as ``passes_layout`` has it."""
    return Cat(count, count == 1, count == 2)


def _less_one(left: data.View[data.StructLayout]) -> Value:
    """The same after a pass that was not the last: whether the next is, has been known."""
    return Cat((left.count - 1)[: len(left.count)], left.before_last, left.count == 3)


class MacLoops(wiring.Component):
    """Follows one instruction with the next without a gap; pauses only while a pixel has no partial sum to go to.

    The loops are those of ``mac_sequencer``. They count down: that a pass is the last is not read off its number, which
    may be known late.
    """

    return_latency = 1
    """Cycles from the one after a partial sum is drained to that in which a pixel may take it."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "instructions": In(stream.Signature(INSTRUCTION_BITS)),
                "slot_drained": In(1),  # pulse: the drain has taken a partial sum
                "instruction": Out(INSTRUCTION_BITS),  # that is being walked
                "active": Out(1),  # there is one
                "issuing": Out(1),  # a step leaves the loops in this cycle
                "last": Out(LastLayout),
                "chunk_last": Out(1),  # the step is the chunk's last
                "pixel_last": Out(1),  # its pixel is the block's last
                "kernel_last": Out(1),  # it is the reduction's last
                "tile_last": Out(1),  # its pixel is the tile's last
                "done": Out(1),  # it is the instruction's last
                "first_chunk": Out(1),  # of the reduction
                "columns_left": Out(COLUMN_BITS),  # passes, with this one
                "chunk_steps_left": Out(CHUNK_STEP_BITS),
                "new_columns": Out(CHUNK_STEP_BITS),  # of the window: a pixel does not share them with the one before
                "slides_on": Out(1),  # there are others, which the array has already
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Signal(INSTRUCTION_BITS, reset_less=True)
        mac = data.View(MacLayout, word)
        incoming = data.View(MacLayout, self.instructions.payload)
        block_pixels = self.config.block_pixels

        def loop_counters(prefix: str, *names: str) -> dict[str, data.View[data.StructLayout]]:
            return {
                name: Signal(passes_layout(len(mac[name])), name=f"{prefix}_{name}", reset_less=True) for name in names
            }

        passes, left = loop_counters("passes", *LOOPS), loop_counters("left", *LOOPS)
        offered = {loop: _passes(incoming[loop]) for loop in LOOPS}
        block_passes = _passes(Const(block_pixels, block_pixels.bit_length()))
        left["pixels"] = Signal(passes_layout(block_pixels.bit_length()), name="left_pixels", reset_less=True)
        chunk_left, block_left = loop_counters("chunk", *REDUCTION_LOOPS), loop_counters("block", *TILE_LOOPS)
        """At the chunk's first column and at the block's first pixel."""
        first_chunk, enters_pixel = Signal(reset_less=True), Signal()
        """This is the first chunk; the chunk's first step on its pixel."""
        new_columns = Signal(CHUNK_STEP_BITS, reset_less=True)
        slides_on = Signal(reset_less=True)
        new_passes = {
            loop: Signal.like(left[loop], name=f"new_{loop}", reset_less=True) for loop in ("columns", "chunk_steps")
        }
        """The new columns as passes of the loops that take them."""

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

        # So is whether the step may leave, which all of them wait to hear as well.
        partial_sums = self.config.partial_sums
        free_slots = Signal(range(partial_sums + 1), init=partial_sums)
        full, one_free = Signal(), Signal()
        """No partial sum is free; or one."""
        returned = Signal()
        """The drain, which is far away, has given one back."""
        takes_slot, after_takes_slot = Signal(reset_less=True), Signal()
        after_full, takes = Signal(), Signal()
        after_active = Mux(self.instructions.ready, self.instructions.valid, self.active)
        starts_pixel = after_first_chunk & after_enters_pixel & ~after_accumulate
        m.d.comb += [
            after_takes_slot.eq(Mux(moves, starts_pixel, takes_slot)),
            takes.eq(self.issuing & takes_slot),
            after_full.eq(~returned & (full | (takes & one_free))),
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

        # At the column after this one: of the window, in the next step along its width, in the next along its height.
        row_ends = last["columns"] & last["segment_steps"]
        next_column = {
            "columns": Mux(last["columns"], passes["columns"], _less_one(left["columns"])),
            "segment_steps": Mux(row_ends, passes["segment_steps"], less_one("segment_steps", last["columns"])),
            "kernel_steps": less_one("kernel_steps", row_ends),
        }
        # At the pixel after this one, in row-major order over the tile.
        next_pixel = {
            "out_width": Mux(last["out_width"], passes["out_width"], _less_one(left["out_width"])),
            "out_height": less_one("out_height", last["out_width"]),
        }

        # What is left after the step.
        become(enters_pixel, chunk_last)
        for loop, count in next_column.items():
            become(left[loop], at_next_column(self, chunk_left[loop], count, passes[loop]))
        with m.If(~chunk_last):
            become(left["chunk_steps"], _less_one(left["chunk_steps"]))
        with m.Else():
            become(left["chunk_steps"], passes["chunk_steps"])
            for loop, count in next_pixel.items():
                become(left[loop], at_next_pixel(self, block_left[loop], count, passes[loop]))
            with m.If(pixel_last):
                become(left["pixels"], block_passes)
                become(first_chunk, kernel_last)
            with m.Else():
                become(left["pixels"], _less_one(left["pixels"]))
                with m.If(slides_on):
                    # The array has all columns of the next pixel but the last few.
                    for loop, counter in new_passes.items():
                        become(left[loop], counter)
            with m.If(pixel_last & kernel_last & tile_last):
                become(left["groups"], _less_one(left["groups"]))
        with m.If(taken_up):
            for loop in LOOPS:
                become(left[loop], offered[loop])
            become(left["pixels"], block_passes)
            become(first_chunk, 1)
            become(enters_pixel, 1)

        with m.If(self.issuing & chunk_last & pixel_last):
            m.d.sync += [
                chunk_left[loop].eq(Mux(kernel_last, passes[loop], count)) for loop, count in next_column.items()
            ]
        with m.If(self.issuing & chunk_last & pixel_last & kernel_last):
            m.d.sync += [block_left[loop].eq(Mux(tile_last, passes[loop], count)) for loop, count in next_pixel.items()]
        # Whatever is offered is taken up, so that these many registers do not wait to hear whether it is valid.
        with m.If(self.instructions.ready):
            m.d.sync += [
                word.eq(self.instructions.payload),
                *(
                    counters[loop].eq(offered[loop])
                    for counters in (passes, chunk_left, block_left)
                    for loop in counters
                ),
                new_columns.eq(incoming.columns - incoming.next_column),
                slides_on.eq(incoming.slide & (incoming.next_column != 0)),
            ]
        # These follow a cycle later: a first pixel that others slide on from takes two columns at least.
        m.d.sync += [counter.eq(_passes(new_columns[: len(counter.count)])) for counter in new_passes.values()]

        m.d.comb += [
            self.instruction.eq(word),
            *(self.last[loop].eq(last[loop]) for loop in LOOPS),
            self.chunk_last.eq(chunk_last),
            self.pixel_last.eq(pixel_last),
            self.kernel_last.eq(kernel_last),
            self.tile_last.eq(tile_last),
            self.done.eq(done),
            self.first_chunk.eq(first_chunk),
            self.columns_left.eq(left["columns"].count),
            self.chunk_steps_left.eq(left["chunk_steps"].count),
            self.new_columns.eq(new_columns),
            self.slides_on.eq(slides_on),
        ]
        return m


def at_next_column(loops: MacLoops, start: ValueLike, following: ValueLike, initial: ValueLike) -> Value:
    """Of what moves with the columns, the next value: the following column's, the chunk's start, or the reduction's.

    One decision, since what follows is late, out of an addition.
    """
    advances = ~loops.chunk_last | (loops.pixel_last & ~loops.kernel_last)
    repeats = loops.chunk_last & ~loops.pixel_last
    return Mux(advances, following, Mux(repeats, start, initial))


def at_next_pixel(loops: MacLoops, start: ValueLike, following: ValueLike, initial: ValueLike) -> Value:
    """Of what moves with the pixels, the next value: the following pixel's, the block's start, or the tile's."""
    to_next_pixel = ~loops.pixel_last | (loops.kernel_last & ~loops.tile_last)
    return Mux(to_next_pixel, following, Mux(loops.kernel_last, initial, start))
