"""The accelerator's top level: one sequencer, three engines, the activation buffer and the two AXI interfaces."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out, connect

from hwgen.config import AcceleratorConfig
from hwgen.isa import HeaderLayout, Opcode, Region, TransferLayout
from hwgen.program import Engine
from hwgen.registers import COUNTERS
from hwgen.rtl.act_buffer import ActBuffer
from hwgen.rtl.axi import ADDRESS_BITS as AXI_ADDRESS_BITS
from hwgen.rtl.axi import axi4_lite_slave_ports, axi4_master_ports
from hwgen.rtl.burst_splitter import BurstSplitter
from hwgen.rtl.compute_engine import ComputeEngine
from hwgen.rtl.control_registers import ADDRESS_BITS, ControlRegisters
from hwgen.rtl.instruction_gate import RETIRED_BITS, InstructionGate
from hwgen.rtl.load_engine import LoadEngine
from hwgen.rtl.read_port import ReadPort
from hwgen.rtl.sequencer import Sequencer
from hwgen.rtl.store_engine import StoreEngine
from hwgen.rtl.write_port import WritePort

INCREMENTING_BURST = 1
NORMAL_MEMORY = 0b0011
"""AxCACHE: modifiable and bufferable."""


def accelerator_ports(config: AcceleratorConfig) -> dict[str, wiring.Member]:
    """Ports of the top level beside clock and reset, by name."""
    return {
        **axi4_lite_slave_ports("s_axil", ADDRESS_BITS),
        **axi4_master_ports("m_axi", config.bus_bits),
        "irq": Out(1),  # high from the end of a run to the next start
        "retire": Out(len(Engine)),  # pulses as load, compute and store retire an instruction
    }


class Accelerator(wiring.Component):
    """Clock ``clk``, synchronous active-high reset ``rst``; see ``hwgen.registers`` for the host's view."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        super().__init__(accelerator_ports(config))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.registers = registers = ControlRegisters(config)
        m.submodules.sequencer = sequencer = Sequencer(config.bus_bits)
        m.submodules.load_gate = load_gate = InstructionGate()
        m.submodules.compute_gate = compute_gate = InstructionGate()
        m.submodules.store_gate = store_gate = InstructionGate()
        m.submodules.load_engine = load = LoadEngine(config)
        m.submodules.compute_engine = compute = ComputeEngine(config)
        m.submodules.store_engine = store = StoreEngine(config)
        m.submodules.act_buffer = act_buffer = ActBuffer(config)
        m.submodules.fetch_splitter = fetch_splitter = BurstSplitter(config.bus_bits)
        m.submodules.load_splitter = load_splitter = BurstSplitter(config.bus_bits)
        m.submodules.store_splitter = store_splitter = BurstSplitter(config.bus_bits)
        m.submodules.read_port = read_port = ReadPort(2, config.bus_bits)
        m.submodules.write_port = write_port = WritePort(config.bus_bits)

        # Instructions: sequencer -> gates -> engines, and the count of what each engine has retired.
        retired = [Signal(RETIRED_BITS, name=f"retired_{engine.name.lower()}") for engine in Engine]
        pulses = {Engine.LOAD: load.retire, Engine.COMPUTE: compute.retire, Engine.STORE: store.retire}
        m.d.comb += self.retire.eq(Cat(pulses[engine] for engine in Engine))
        # They are far away and begin anew two cycles after the run, before its first instruction has been fetched.
        started, anew = Signal(), Signal()
        m.d.sync += [started.eq(registers.start), anew.eq(started)]
        for engine in Engine:
            with m.If(anew):
                m.d.sync += retired[engine].eq(0)
            with m.Elif(pulses[engine]):
                m.d.sync += retired[engine].eq(retired[engine] + 1)
        gates = {Engine.LOAD: load_gate, Engine.COMPUTE: compute_gate, Engine.STORE: store_gate}
        queues = {
            Engine.LOAD: load.instructions,
            Engine.COMPUTE: compute.instructions,
            Engine.STORE: store.instructions,
        }
        for engine in Engine:
            connect(m, sequencer.queues[engine], gates[engine].queued)
            released = gates[engine].released
            m.d.comb += [
                queues[engine].valid.eq(released.valid),
                queues[engine].payload.instruction.eq(released.payload),
                released.ready.eq(queues[engine].ready),
            ]
            m.d.comb += sequencer.retired[engine].eq(retired[engine])
            m.d.comb += [gates[engine].retired[other].eq(retired[other]) for other in Engine]
        m.d.comb += [
            sequencer.start.eq(registers.start),
            sequencer.image_base.eq(registers.bases[Region.IMAGE]),
            registers.finished.eq(sequencer.finished),
            self.irq.eq(registers.done),
        ]
        # What engines decide by is worked out as an instruction enters its gate.
        for engine in (Engine.LOAD, Engine.STORE):
            transfer = data.View(TransferLayout, sequencer.shown[engine])
            address = Signal(AXI_ADDRESS_BITS, name=f"{engine.name.lower()}_address", reset_less=True)
            with m.If(gates[engine].queued.ready):
                m.d.sync += address.eq(Array(registers.bases)[transfer.region] + transfer.dram_offset)
            m.d.comb += queues[engine].payload.address.eq(address)
        is_add = Signal(reset_less=True)
        with m.If(compute_gate.queued.ready):
            header = data.View(HeaderLayout, sequencer.shown[Engine.COMPUTE][: HeaderLayout.size])
            m.d.sync += is_add.eq(header.opcode == Opcode.ADD)
        m.d.comb += compute.instructions.payload.is_add.eq(is_add)

        # Data: memory <-> load and store engines <-> activation buffer <-> compute engine.
        connect(m, sequencer.requests, fetch_splitter.requests)
        connect(m, load.requests, load_splitter.requests)
        connect(m, store.requests, store_splitter.requests)
        connect(m, fetch_splitter.bursts, read_port.bursts[0])
        connect(m, load_splitter.bursts, read_port.bursts[1])
        connect(m, store_splitter.bursts, write_port.bursts)
        connect(m, read_port.beats[0], sequencer.beats)
        connect(m, read_port.beats[1], load.beats)
        connect(m, store.beats, write_port.beats)
        connect(m, load.act, act_buffer.load)
        connect(m, store.places, act_buffer.store)
        m.d.comb += [
            store.stored.eq(act_buffer.stored),
            store.stored_valid.eq(act_buffer.stored_valid),
            store.acknowledged.eq(write_port.acknowledged),
            act_buffer.fetch.eq(compute.fetch),
            compute.fetched.eq(act_buffer.fetched),
            act_buffer.write_strobe.eq(compute.write_strobe),
            act_buffer.write_place.eq(compute.write_place),
            act_buffer.write_data.eq(compute.write_data),
            compute.word.eq(load.word),
            compute.word_address.eq(load.word_address),
            compute.weight_write.eq(load.weight_write),
            compute.parameter_write.eq(load.parameter_write),
        ]
        self._connect_bus(m, registers, read_port, write_port)

        # Gates say a cycle later who blocked them.
        computed, stored = Signal(), Signal()
        m.d.sync += [computed.eq(compute.active), stored.eq(store.busy)]
        blocks_compute = compute_gate.blocked_by
        waits_load = blocks_compute[Engine.LOAD]
        waits_store = blocks_compute[Engine.STORE] & ~waits_load
        waits_compute = blocks_compute[Engine.COMPUTE] & ~waits_load & ~waits_store
        increments = {
            "cycles": 1,
            "load_busy": load.busy,
            "compute_busy": compute.issuing,
            "store_busy": store.busy,
            "load_wait": load_gate.blocked_by != 0,
            "compute_wait_load": waits_load & ~computed,
            "compute_wait_store": waits_store & ~computed,
            "compute_wait_compute": waits_compute & ~computed,
            "compute_wait_drain": compute.waiting_drain,
            "store_wait": (store_gate.blocked_by != 0) & ~stored,
            "read_wait": read_port.waiting,
            "write_wait": write_port.waiting,
            "macs": compute.macs,
            "act_reads": sum(compute.fetch.rows),
            "act_writes": compute.write_strobe != 0,
            "weight_reads": compute.weight_reads,
            "weight_file_accesses": compute.weight_file_used,
            "input_file_accesses": compute.input_file_used,
            "psum_updates": compute.psum_updates,
            "requantised": compute.requantised,
            "dram_read_beats": read_port.transferred,
            "dram_write_beats": write_port.transferred,
        }
        m.d.comb += [registers.increments[index].eq(increments[counter.name]) for index, counter in enumerate(COUNTERS)]
        return m

    def _connect_bus(self, m: Module, registers: ControlRegisters, read_port: ReadPort, write_port: WritePort) -> None:
        for name, member in axi4_lite_slave_ports("s_axil", ADDRESS_BITS).items():
            outer, inner = getattr(self, name), getattr(registers, name)
            m.d.comb += outer.eq(inner) if member.flow is Out else inner.eq(outer)
        for port, channels in ((read_port, ("ar", "r")), (write_port, ("aw", "w", "b"))):
            for name, member in axi4_master_ports("", self.config.bus_bits).items():
                name = name.removeprefix("_")
                if not name.startswith(channels) or not hasattr(port, name):
                    continue
                outer, inner = getattr(self, f"m_axi_{name}"), getattr(port, name)
                m.d.comb += outer.eq(inner) if member.flow is Out else inner.eq(outer)
        beat_size = (self.config.bus_bytes - 1).bit_length()
        for channel in ("aw", "ar"):
            m.d.comb += [
                getattr(self, f"m_axi_{channel}size").eq(beat_size),
                getattr(self, f"m_axi_{channel}burst").eq(INCREMENTING_BURST),
                getattr(self, f"m_axi_{channel}cache").eq(NORMAL_MEMORY),
            ]
        # A run ends some cycles after its last answer: its errors may come a cycle late, from across the chip.
        m.d.sync += registers.bus_error.eq(read_port.error | write_port.error)
