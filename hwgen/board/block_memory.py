"""Block memory: memory on the accelerator's own chip, behind its AXI4 master, and open to the bridge."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.board.bridge import AccessLayout
from hwgen.memory_model import MemoryModel
from hwgen.rtl.axi import axi4_master_ports, flipped_ports
from hwgen.rtl.queue import Queue
from hwgen.rtl.ram import Ram, RamShape

LATENCY = 4
"""Cycles from an accepted read address to its first beat, and from a last write beat to its answer."""
BLOCK_MEMORY = MemoryModel(latency_cycles=LATENCY)
"""The memory's timing, which it keeps to the cycle: a beat per cycle and channel, and bursts queue without waiting."""
BURSTS = 64
"""Of each kind in flight: as many as the accelerator's ports have at most, so none ever waits to be accepted."""
BEATS = 16
"""Read beats that wait to be taken: more than there are cycles between asking the RAM for a beat and offering it."""


class BlockMemory(wiring.Component):
    """An AXI4 slave for incrementing bursts of full-width beats. Addresses beyond its end wrap around.

    The bridge's accesses take cycles that the accelerator leaves, so they never delay it.
    """

    def __init__(self, *, size_bytes: int, bus_bits: int) -> None:
        self.size_bytes, self.bus_bits = size_bytes, bus_bits
        super().__init__(
            {
                **flipped_ports(axi4_master_ports("s_axi", bus_bits)),
                "accesses": In(stream.Signature(AccessLayout)),
                "done": Out(1),  # pulse: the access has ended
                "result": Out(32),  # what it read
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus_bytes = self.bus_bits // 8
        depth = self.size_bytes // bus_bytes
        m.submodules.ram = ram = Ram(RamShape(self.bus_bits, depth, granule=8))
        lane_bits = (bus_bytes - 1).bit_length()
        word_bits = (depth - 1).bit_length()
        words = slice(lane_bits, lane_bits + word_bits)
        access = self.accesses.payload
        part = access.address[2:lane_bits]
        """Which of a RAM word's parts of 32 bits."""

        # Reads: a queue of bursts, then the address of the next beat, the RAM, and a queue of beats.
        m.submodules.reads = reads = Queue(data.StructLayout({"id": 1, "word": word_bits, "length": 8}), depth=BURSTS)
        m.submodules.beats = beats = Queue(data.StructLayout({"id": 1, "last": 1, "data": self.bus_bits}), depth=BEATS)
        burst = Signal(reads.input.payload.shape())
        active, issues, issued, last_issued = Signal(), Signal(), Signal(), Signal()
        issued_id = Signal()
        ends = burst.length == 0
        m.d.comb += [
            reads.input.valid.eq(self.s_axi_arvalid),
            self.s_axi_arready.eq(reads.input.ready),
            reads.input.payload.id.eq(self.s_axi_arid),
            reads.input.payload.word.eq(self.s_axi_araddr[words]),
            reads.input.payload.length.eq(self.s_axi_arlen),
            issues.eq(active & (beats.level < BEATS - LATENCY)),
            reads.output.ready.eq(~active | (issues & ends)),
        ]
        with m.If(issues):
            m.d.sync += [burst.word.eq(burst.word + 1), burst.length.eq(burst.length - 1)]
        with m.If(reads.output.ready):
            m.d.sync += [active.eq(reads.output.valid), burst.eq(reads.output.payload)]
        m.d.sync += [issued.eq(issues), last_issued.eq(ends), issued_id.eq(burst.id)]
        m.d.comb += [
            beats.input.valid.eq(issued),
            beats.input.payload.data.eq(ram.read_data),
            beats.input.payload.last.eq(last_issued),
            beats.input.payload.id.eq(issued_id),
            self.s_axi_rvalid.eq(beats.output.valid),
            beats.output.ready.eq(self.s_axi_rready),
            self.s_axi_rdata.eq(beats.output.payload.data),
            self.s_axi_rlast.eq(beats.output.payload.last),
            self.s_axi_rid.eq(beats.output.payload.id),
        ]

        # Writes: a queue of bursts, whose beats go to the RAM a cycle after they came, and a queue of answers.
        m.submodules.writes = writes = Queue(data.StructLayout({"id": 1, "word": word_bits}), depth=BURSTS)
        m.submodules.answers = answers = Queue(1, depth=BURSTS)
        position = Signal(8)
        takes = Signal()
        m.d.comb += [
            writes.input.valid.eq(self.s_axi_awvalid),
            self.s_axi_awready.eq(writes.input.ready),
            writes.input.payload.id.eq(self.s_axi_awid),
            writes.input.payload.word.eq(self.s_axi_awaddr[words]),
            self.s_axi_wready.eq(writes.output.valid & (answers.level < BURSTS - LATENCY)),
            takes.eq(self.s_axi_wvalid & self.s_axi_wready),
            writes.output.ready.eq(takes & self.s_axi_wlast),
        ]
        with m.If(takes):
            m.d.sync += position.eq(Mux(self.s_axi_wlast, 0, position + 1))
        # An answer waits as long for its queue as the latency asks, less the cycle that the queue takes.
        waits = [(takes & self.s_axi_wlast, writes.output.payload.id)]
        for stage in range(LATENCY - 1):
            valid, identity = Signal(name=f"answer_{stage}"), Signal(name=f"answer_id_{stage}")
            m.d.sync += [valid.eq(waits[-1][0]), identity.eq(waits[-1][1])]
            waits.append((valid, identity))
        m.d.comb += [
            answers.input.valid.eq(waits[-1][0]),
            answers.input.payload.eq(waits[-1][1]),
            self.s_axi_bvalid.eq(answers.output.valid),
            self.s_axi_bid.eq(answers.output.payload),
            answers.output.ready.eq(self.s_axi_bready),
        ]

        # The RAM: the bursts go first.
        written_word, written_data = Signal(word_bits), Signal(self.bus_bits)
        strobe = Signal(bus_bytes)
        accessed, accessed_part = Signal(), Signal(max(1, len(part)))
        accepts = self.accesses.valid & self.accesses.ready
        m.d.comb += [
            self.accesses.ready.eq(Mux(access.write, ~takes, ~issues)),
            ram.read_address.eq(Mux(issues, burst.word, access.address[words])),
            ram.write_address.eq(written_word),
            ram.write_data.eq(written_data),
            ram.write_enable.eq(strobe),
            self.done.eq(accessed),
            self.result.eq(ram.read_data.word_select(accessed_part, 32)),
        ]
        m.d.sync += [accessed.eq(accepts), accessed_part.eq(part), strobe.eq(0)]
        with m.If(takes):
            m.d.sync += [
                written_word.eq(writes.output.payload.word + position),
                written_data.eq(self.s_axi_wdata),
                strobe.eq(self.s_axi_wstrb),
            ]
        with m.Elif(accepts & access.write):
            m.d.sync += [
                written_word.eq(access.address[words]),
                written_data.eq(access.data.replicate(self.bus_bits // 32)),
                strobe.word_select(part, 4).eq(-1),
            ]
        return m
