"""Drain: requantises finished partial sums and additions and writes them back to the activation buffer.

Its golden is in ``drain_writes``.
"""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS
from hwgen.rtl.act_buffer import PlaceLayout
from hwgen.rtl.partial_sums import ACC_BITS
from hwgen.rtl.requantise import ModeLayout, ParameterLayout, RequantiseLane
from hwgen.rtl.step import slot_bits

HOLDS = 7
"""Instructions done and not yet drained, at most: more than are announced."""

DrainLayout = data.StructLayout(
    {
        "is_add": 1,
        "row_elements": ACT_ADDRESS_BITS,  # of an addition
        "hold": 1,  # leave the partial sums where they are
        "out_address": ACT_ADDRESS_BITS,
        "out_bank": 2,
        "out_pitch": ACT_ADDRESS_BITS,
        "out_step": 14,
        "out_width": 12,
        "out_height": 12,
        "groups": 12,
        "group_channels": 6,
        "last_channels": 6,
        "parameter_address": 12,
        "parameters_constant": 1,
        "mode": ModeLayout,
    }
)
"""What the drain needs of a compute instruction, in the order in which instructions were issued."""


class Drain(wiring.Component):
    """Up to ``requant_lanes`` channels of one pixel per cycle, in the order of the MAC sequencer's loops."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                "descriptors": In(stream.Signature(DrainLayout)),
                "pixel_done": In(1),  # pulse: the array has completed a pixel's partial sums
                "hold_done": In(1),  # pulse: and all steps of an instruction that holds its own
                "slot_drained": Out(1),  # pulse: a pixel's partial sums have been taken
                "drain_slot": Out(slot_bits(config)),
                "drained": In(ACC_BITS * config.cols),
                "add_ready": Out(1),  # the next results are an addition's
                "sums_valid": In(1),
                "sums": In(data.ArrayLayout(signed(32), config.eltwise_lanes)),  # of an addition, one cycle later
                "parameter_address": Out(12),
                "parameters": In(data.ArrayLayout(ParameterLayout, config.requant_lanes)),  # one cycle later
                "write_strobe": Out(config.requant_lanes),  # a cycle before the bytes
                "write_place": Out(PlaceLayout),  # of the first of them
                "write_data": Out(8 * config.requant_lanes),
                "requantised": Out(range(config.requant_lanes + 1)),  # results in this cycle
                "retire": Out(1),  # pulse: an instruction's results are in the activation buffer
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes, cols, partial_sums = self.config.requant_lanes, self.config.cols, self.config.partial_sums
        eltwise_lanes = self.config.eltwise_lanes
        current = Signal(DrainLayout, reset_less=True)
        incoming = self.descriptors.payload

        pixels, holds = Signal(range(partial_sums + 1)), Signal(range(HOLDS + 1))
        """Pixels complete and not yet taken, and instructions that hold their sums."""
        pixel_waits, several_wait, hold_waits = Signal(), Signal(), Signal()
        """There is such a pixel; there are more than one; there is such an instruction."""
        skips_hold = Signal()
        with m.If(self.pixel_done != self.slot_drained):
            m.d.sync += [
                pixels.eq(Mux(self.pixel_done, pixels + 1, pixels - 1)),
                several_wait.eq(Mux(self.pixel_done, pixel_waits, pixels > 2)),
            ]
        pixel_will_wait = Signal()
        m.d.comb += pixel_will_wait.eq(self.pixel_done | Mux(self.slot_drained, several_wait, pixel_waits))
        m.d.sync += [
            pixel_waits.eq(pixel_will_wait),
            holds.eq(holds + self.hold_done - skips_hold),
            hold_waits.eq(self.hold_done | Mux(skips_hold, holds != 1, hold_waits)),
        ]

        # Pixels of the output row, output rows and groups that are left. What ends with a chunk is known in registers
        # as it comes, because almost all others wait to hear it.
        x_left, y_left = Signal(12, reset_less=True), Signal(12, reset_less=True)
        groups_left = Signal(12, reset_less=True)
        x_last, y_last = Signal(reset_less=True), Signal(reset_less=True)
        group_last, group_before_last = Signal(reset_less=True), Signal(reset_less=True)
        chunk_last = Signal(reset_less=True)
        group_is_chunk, last_is_chunk = Signal(reset_less=True), Signal(reset_less=True)
        """A group is one chunk, and so is the last group."""
        slot = Signal(slot_bits(self.config))
        channel = Signal(range(cols + lanes + 1), reset_less=True)
        channels_left = Signal(6, reset_less=True)
        chunk = Signal(range(max(2, -(-cols // lanes))), reset_less=True)
        group_parameters = Signal(12, reset_less=True)
        parameters = Signal(12, reset_less=True)
        elements_left = Signal(ACT_ADDRESS_BITS, reset_less=True)
        sums_end_row = Signal(reset_less=True)
        """The next sums are the row's last."""
        tile_last = x_last & y_last

        # What kind of instruction is being drained, if any. Before each the drain is idle for a cycle, so that what
        # begins with an instruction does not wait to hear that the one before ends.
        idle = Signal(init=1)
        drains_pixels, drains_sums, holds_sums = Signal(), Signal(), Signal()
        takes_chunk, takes_sums = Signal(), Signal()
        ends_row, finishing_pixels, finishing = Signal(), Signal(), Signal()
        # Whether a chunk is taken is known in a register as it comes: most of what happens here waits to hear it.
        will_drain_pixels = Signal()
        offers_pixels = self.descriptors.valid & ~incoming.is_add & ~incoming.hold
        m.d.comb += will_drain_pixels.eq((idle & offers_pixels) | (drains_pixels & ~finishing_pixels))
        m.d.sync += [drains_pixels.eq(will_drain_pixels), takes_chunk.eq(will_drain_pixels & pixel_will_wait)]
        m.d.comb += [
            skips_hold.eq(holds_sums & hold_waits),
            takes_sums.eq(drains_sums & self.sums_valid),
            self.add_ready.eq(drains_sums),
            self.busy.eq(~idle),
            self.slot_drained.eq(takes_chunk & chunk_last),
            ends_row.eq((self.slot_drained & x_last) | (takes_sums & sums_end_row)),
            finishing_pixels.eq(self.slot_drained & tile_last & group_last),
            finishing.eq(skips_hold | finishing_pixels | (takes_sums & sums_end_row & y_last)),
            self.descriptors.ready.eq(idle),
            self.drain_slot.eq(slot),
            self.parameter_address.eq(parameters),
        ]

        with m.If(takes_chunk):
            m.d.sync += [
                channel.eq(channel + lanes),
                channels_left.eq(channels_left - lanes),
                chunk_last.eq(channels_left <= 2 * lanes),
                chunk.eq(chunk + 1),
            ]
            with m.If(~current.parameters_constant):
                m.d.sync += parameters.eq(parameters + 1)
        with m.If(self.slot_drained):
            in_last_group = Mux(tile_last, group_before_last, group_last)
            m.d.sync += [
                channel.eq(0),
                channels_left.eq(Mux(in_last_group, current.last_channels, current.group_channels)),
                chunk_last.eq(Mux(in_last_group, last_is_chunk, group_is_chunk)),
                chunk.eq(0),
                slot.eq(Mux(slot == partial_sums - 1, 0, slot + 1)),
                x_left.eq(Mux(x_last, current.out_width, x_left - 1)),
                x_last.eq(Mux(x_last, current.out_width == 1, x_left == 2)),
            ]
            with m.If(~tile_last):
                m.d.sync += parameters.eq(group_parameters)
            with m.Else():
                m.d.sync += [
                    groups_left.eq(groups_left - 1),
                    group_last.eq(group_before_last),
                    group_before_last.eq(groups_left == 3),
                ]
                with m.If(~current.parameters_constant):
                    m.d.sync += group_parameters.eq(parameters + 1)
        with m.If(takes_sums):
            m.d.sync += [
                elements_left.eq(Mux(sums_end_row, current.row_elements, elements_left - eltwise_lanes)),
                sums_end_row.eq(
                    Mux(sums_end_row, current.row_elements <= eltwise_lanes, elements_left <= 2 * eltwise_lanes)
                ),
            ]
        with m.If(ends_row):
            m.d.sync += [
                y_left.eq(Mux(y_last, current.out_height, y_left - 1)),
                y_last.eq(Mux(y_last, current.out_height == 1, y_left == 2)),
            ]
        # Whatever is offered is taken up, so that these registers do not wait to hear whether it is valid.
        with m.If(idle):
            one_group = incoming.groups == 1
            group_fits, last_fits = incoming.group_channels <= lanes, incoming.last_channels <= lanes
            m.d.sync += [
                current.eq(incoming),
                idle.eq(~self.descriptors.valid),
                drains_sums.eq(self.descriptors.valid & incoming.is_add),
                holds_sums.eq(self.descriptors.valid & ~incoming.is_add & incoming.hold),
                x_left.eq(incoming.out_width),
                x_last.eq(incoming.out_width == 1),
                y_left.eq(incoming.out_height),
                y_last.eq(incoming.out_height == 1),
                groups_left.eq(incoming.groups),
                group_last.eq(one_group),
                group_before_last.eq(incoming.groups == 2),
                group_is_chunk.eq(group_fits),
                last_is_chunk.eq(last_fits),
                channel.eq(0),
                channels_left.eq(Mux(one_group, incoming.last_channels, incoming.group_channels)),
                chunk_last.eq(Mux(one_group, last_fits, group_fits)),
                chunk.eq(0),
                group_parameters.eq(incoming.parameter_address),
                parameters.eq(incoming.parameter_address),
                elements_left.eq(incoming.row_elements),
                sums_end_row.eq(incoming.row_elements <= eltwise_lanes),
            ]
        with m.Elif(finishing):
            m.d.sync += [idle.eq(1), drains_sums.eq(0), holds_sums.eq(0)]

        # Results are long on their way, so their places follow two cycles later: rows first, and then their pixels.
        begins, next_row, next_group = Signal(reset_less=True), Signal(reset_less=True), Signal(reset_less=True)
        next_pixel, moves, begins_row = Signal(reset_less=True), Signal(reset_less=True), Signal(reset_less=True)
        group_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        row_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        pixel_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        row_bank, pixel_bank = Signal(2, reset_less=True), Signal(2, reset_less=True)
        earlier_channel, place_channel = Signal.like(channel, reset_less=True), Signal.like(channel, reset_less=True)
        following = group_address + current.group_channels
        m.d.sync += [
            begins.eq(idle),
            next_row.eq(ends_row),
            next_group.eq(self.slot_drained & tile_last),
            next_pixel.eq((self.slot_drained & ~x_last) | (takes_sums & ~sums_end_row)),
            begins_row.eq(begins | next_row | next_group),
            moves.eq(next_pixel),
            pixel_bank.eq(row_bank),
            earlier_channel.eq(channel),
            place_channel.eq(earlier_channel),
        ]
        with m.If(begins):
            m.d.sync += [
                row_bank.eq(current.out_bank),
                row_address.eq(current.out_address),
                group_address.eq(current.out_address),
            ]
        with m.Elif(next_group):
            m.d.sync += [row_bank.eq(current.out_bank), row_address.eq(following), group_address.eq(following)]
        with m.Elif(next_row):
            # Rows lie in successive banks, and share an address until the banks start again from the first.
            m.d.sync += [
                row_bank.eq(row_bank + 1),
                row_address.eq(row_address + Mux(row_bank == ROW_BANKS - 1, current.out_pitch, 0)),
            ]
        with m.If(begins_row):
            m.d.sync += pixel_address.eq(row_address)
        with m.Elif(moves):
            m.d.sync += pixel_address.eq(pixel_address + Mux(current.is_add, eltwise_lanes, current.out_step))

        # One cycle to read parameters and select the chunk's columns, then the lanes.
        padded = Cat(self.drained, Const(0, ACC_BITS * (-cols % lanes)))
        accumulators = Signal(data.ArrayLayout(signed(ACC_BITS), lanes), reset_less=True)
        adds = Signal(reset_less=True)
        modes = Signal(data.ArrayLayout(ModeLayout, RequantiseLane.latency), reset_less=True)
        m.d.sync += [
            accumulators.eq(padded.word_select(chunk, ACC_BITS * lanes)),
            adds.eq(current.is_add),
            modes.eq(Cat(current.mode, modes)),
        ]
        # The lanes stand still, and cost no energy, while nothing passes them.
        passing, works = Signal(RequantiseLane.latency - 1), Signal()
        takes = takes_chunk | takes_sums
        m.d.sync += [passing.eq(Cat(takes, passing)), works.eq(takes | passing.any())]
        results = []
        for index in range(lanes):
            lane = RequantiseLane()
            m.submodules[f"lane_{index}"] = lane
            m.d.comb += [
                lane.acc.eq(accumulators[index]),
                lane.parameters.eq(self.parameters[index]),
                lane.modes.eq(modes),
                lane.works.eq(works),
            ]
            if index < eltwise_lanes:
                with m.If(adds):
                    m.d.comb += lane.acc.eq(self.sums[index])
            results.append(lane.result)

        valid_lanes = Signal(range(lanes + 1))
        with m.If(takes_chunk):
            m.d.comb += valid_lanes.eq(Mux(chunk_last, channels_left, lanes))
        with m.Elif(takes_sums):
            m.d.comb += valid_lanes.eq(Mux(elements_left < eltwise_lanes, elements_left, eltwise_lanes))
        m.d.comb += self.requantised.eq(valid_lanes)
        beside = [Cat(finishing, valid_lanes)]
        place = Signal(PlaceLayout)
        m.d.comb += [place.bank.eq(pixel_bank), place.address.eq(pixel_address + place_channel)]
        places = [place]
        for stage in range(1 + RequantiseLane.latency):
            flags = Signal(len(beside[-1]), name=f"beside_{stage}")
            m.d.sync += flags.eq(beside[-1])
            beside.append(flags)
        for stage in range(2, RequantiseLane.latency):
            place = Signal(PlaceLayout, name=f"place_{stage}", reset_less=True)
            m.d.sync += place.eq(places[-1])
            places.append(place)
        strobe = Signal(lanes)
        m.d.sync += strobe.eq((Const(1, lanes + 1) << beside[-3][1:]) - 1)
        m.d.comb += [
            self.write_strobe.eq(strobe),
            self.write_place.eq(places[-1]),
            self.write_data.eq(Cat(results)),
            # Whoever waits for it passes a gate before reading, which takes no less than the last write.
            self.retire.eq(beside[-1][0]),
        ]
        return m
