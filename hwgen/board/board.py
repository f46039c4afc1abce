"""The board's logic: an accelerator, its memory, and the bridge to the host."""

from __future__ import annotations

from dataclasses import astuple

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from hwgen.board.block_memory import BlockMemory
from hwgen.board.bridge import Bridge
from hwgen.board.config import BoardConfig
from hwgen.board.protocol import Space
from hwgen.board.register_access import RegisterAccess
from hwgen.board.uart_receiver import UartReceiver
from hwgen.board.uart_transmitter import UartTransmitter
from hwgen.rtl.accelerator import Accelerator
from hwgen.rtl.axi import axi4_lite_slave_ports, axi4_master_ports
from hwgen.rtl.control_registers import ADDRESS_BITS

LEDS = 8


class Board(wiring.Component):
    """All that is behind the pins; see ``hwgen.board.protocol`` for the host's view."""

    def __init__(self, config: BoardConfig) -> None:
        self.config = config
        super().__init__(
            {
                "received": In(1, init=1),  # the serial line from the host
                "sent": Out(1, init=1),  # the serial line to the host
                "leds": Out(LEDS),  # lit: the board is configured; a request is there; the accelerator is done
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        bus_bits = config.accelerator.bus_bits
        m.submodules.receiver = receiver = UartReceiver(config.divisor)
        m.submodules.transmitter = transmitter = UartTransmitter(config.divisor)
        m.submodules.bridge = bridge = Bridge(silence=config.silence)
        m.submodules.register_access = registers = RegisterAccess()
        m.submodules.accelerator = accelerator = Accelerator(config.accelerator)
        m.submodules.memory = block_memory = BlockMemory(size_bytes=config.memory_bytes, bus_bits=bus_bits)

        m.d.comb += [receiver.line.eq(self.received), self.sent.eq(transmitter.line)]
        connect(m, receiver.bytes, bridge.received)
        connect(m, bridge.sent, transmitter.bytes)
        for name, member in axi4_lite_slave_ports("axil", ADDRESS_BITS).items():
            slave, master = getattr(accelerator, f"s_{name}"), getattr(registers, f"m_{name}")
            m.d.comb += slave.eq(master) if member.flow is In else master.eq(slave)
        for name, member in axi4_master_ports("axi", bus_bits).items():
            slave, master = getattr(block_memory, f"s_{name}"), getattr(accelerator, f"m_{name}")
            m.d.comb += slave.eq(master) if member.flow is Out else master.eq(slave)
        self._connect_spaces(m, bridge, block_memory, registers)

        m.d.comb += self.leds.eq(Cat(Const(1, 1), bridge.busy, accelerator.irq))
        return m

    def _connect_spaces(self, m: Module, bridge: Bridge, block_memory: BlockMemory, registers: RegisterAccess) -> None:
        """Lead the bridge's accesses to what their addresses select; to nothing, they fail."""
        address = bridge.accesses.payload.address
        """Stays until the access is done."""
        described = Array(Const(word, 32) for word in astuple(self.config.description))
        word = address[2:30]
        answered_here = Signal()
        m.d.sync += answered_here.eq(0)
        for target in (block_memory, registers):
            m.d.comb += target.accesses.payload.eq(bridge.accesses.payload)

        def lead_to(target: BlockMemory | RegisterAccess) -> None:
            m.d.comb += [
                target.accesses.valid.eq(bridge.accesses.valid),
                bridge.accesses.ready.eq(target.accesses.ready),
                bridge.done.eq(target.done),
                bridge.result.eq(target.result),
            ]

        with m.If((address[30:] == Space.MEMORY) & (address[:30] < self.config.memory_bytes)):
            lead_to(block_memory)
        with m.Elif((address[30:] == Space.REGISTERS) & (word < 1 << (ADDRESS_BITS - 2))):
            lead_to(registers)
            m.d.comb += bridge.failed.eq(registers.failed)
        with m.Else():
            described_here = (address[30:] == Space.DESCRIPTION) & (word < len(described))
            m.d.sync += answered_here.eq(bridge.accesses.valid)
            m.d.comb += [
                bridge.accesses.ready.eq(1),
                bridge.done.eq(answered_here),
                bridge.result.eq(described[word[: (len(described) - 1).bit_length()]]),
                bridge.failed.eq(~described_here | bridge.accesses.payload.write),
            ]
