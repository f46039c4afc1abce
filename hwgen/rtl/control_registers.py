"""Control registers: the AXI4-Lite slave through which the host starts a program and reads counters."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.isa import Region
from hwgen.registers import COUNTER_BASE, COUNTERS, IDENTITY, REGISTERS
from hwgen.rtl.axi import axi4_lite_slave_ports
from hwgen.rtl.counters import Counters, increment_bits

ADDRESS_BITS = 12
BASE_REGISTERS = {
    Region.IMAGE: "IMAGE_BASE",
    Region.SCRATCH: "SCRATCH_BASE",
    Region.INPUT: "INPUT_BASE",
    Region.OUTPUT: "OUTPUT_BASE",
}


class ControlRegisters(wiring.Component):
    """The register map of ``hwgen.registers``; one read and one write at a time, always answered OKAY."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(
            {
                **axi4_lite_slave_ports("s_axil", ADDRESS_BITS),
                "start": Out(1),  # pulse: a run begins, the cycle after the host's write
                "finished": In(1),  # pulse: the run is over
                "bus_error": In(1),  # pulse: the memory answered with an error
                "done": Out(1),  # a run has finished since the last start
                "bases": Out(32).array(len(Region)),  # base address of each region
                "increments": In(increment_bits(config)).array(len(COUNTERS)),  # this cycle's growth of each counter
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        offsets = {register.name: register.offset for register in REGISTERS}
        running, error = Signal(), Signal()

        # A write needs address and data together; both are taken in the cycle in which the answer is free.
        write = Signal()
        m.d.comb += [
            write.eq(self.s_axil_awvalid & self.s_axil_wvalid & ~self.s_axil_bvalid),
            self.s_axil_awready.eq(write),
            self.s_axil_wready.eq(write),
        ]
        with m.If(write):
            m.d.sync += self.s_axil_bvalid.eq(1)
        with m.Elif(self.s_axil_bready):
            m.d.sync += self.s_axil_bvalid.eq(0)

        word_write = self.s_axil_awaddr[2:]
        starts = Signal()
        m.d.comb += starts.eq(
            write & (word_write == offsets["CONTROL"] // 4) & self.s_axil_wstrb[0] & self.s_axil_wdata[0] & ~running
        )
        m.d.sync += self.start.eq(starts)
        # A base's bytes are written a cycle later, when it is known which.
        written = Signal(32, reset_less=True)
        m.d.sync += written.eq(self.s_axil_wdata)
        for region, name in BASE_REGISTERS.items():
            writes = Signal(4, name=f"writes_{name.lower()}")
            m.d.sync += writes.eq(
                self.s_axil_wstrb & (write & (word_write == offsets[name] // 4)).replicate(len(writes))
            )
            for byte, writes_byte in enumerate(writes):
                with m.If(writes_byte):
                    place = slice(8 * byte, 8 * byte + 8)
                    m.d.sync += self.bases[region][place].eq(written[place])

        with m.If(starts):
            m.d.sync += [running.eq(1), self.done.eq(0), error.eq(0)]
        with m.Elif(self.finished):
            m.d.sync += [running.eq(0), self.done.eq(1)]
        with m.If(self.bus_error):
            m.d.sync += error.eq(1)

        m.submodules.counters = counters = Counters(self.config)
        m.d.comb += [
            counters.clear.eq(self.start),
            counters.counts.eq(running & ~self.start),
            *(to.eq(increment) for to, increment in zip(counters.increments, self.increments, strict=True)),
        ]

        # One read at a time: what it means is found in its first cycle. That of a counter waits for the counter's turn.
        reading, found, answered = Signal(), Signal(), Signal()
        word = Signal(ADDRESS_BITS - 2, reset_less=True)
        m.d.comb += self.s_axil_arready.eq(~reading & ~self.s_axil_rvalid)
        with m.If(self.s_axil_arready):
            m.d.sync += [reading.eq(self.s_axil_arvalid), word.eq(self.s_axil_araddr[2:])]
        with m.If(answered):
            m.d.sync += [reading.eq(0), self.s_axil_rvalid.eq(1)]
        with m.Elif(self.s_axil_rready):
            m.d.sync += self.s_axil_rvalid.eq(0)

        first_counter = COUNTER_BASE // 4
        of_counter, value = Signal(reset_less=True), Signal(32, reset_less=True)
        m.d.sync += [
            found.eq(reading & ~answered),
            of_counter.eq((word >= first_counter) & (word < first_counter + 2 * len(COUNTERS))),
            value.eq(0),
        ]
        geometry = self.config.rows | self.config.cols << 8 | self.config.bus_bits << 16
        values: dict[int, ValueLike] = {
            offsets["STATUS"] // 4: Cat(self.done, running, error),
            offsets["IDENTITY"] // 4: Const(IDENTITY, 32),
            offsets["GEOMETRY"] // 4: Const(geometry, 32),
            **{offsets[name] // 4: self.bases[region] for region, name in BASE_REGISTERS.items()},
        }
        with m.Switch(word):
            for register, known in values.items():
                with m.Case(register):
                    m.d.sync += value.eq(known)
        m.d.comb += [
            counters.read.eq(found & of_counter),
            counters.index.eq((word - first_counter)[1:]),
            answered.eq(found & (counters.valid | ~of_counter)),
        ]
        counted = Mux(word[0], counters.total[32:], counters.total[:32])
        with m.If(answered):
            m.d.sync += self.s_axil_rdata.eq(Mux(of_counter, counted, value))
        return m
