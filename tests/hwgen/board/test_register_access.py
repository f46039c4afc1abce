"""The bridge reads and writes the accelerator's own registers."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib.wiring import In
from amaranth.sim import Simulator

from hwgen.board.register_access import RegisterAccess
from hwgen.config import AcceleratorConfig
from hwgen.registers import IDENTITY, OFFSETS
from hwgen.rtl.axi import axi4_lite_slave_ports
from hwgen.rtl.control_registers import ADDRESS_BITS, ControlRegisters


def test_reads_and_writes_registers() -> None:
    m = Module()
    m.submodules.dut = dut = RegisterAccess()
    m.submodules.registers = registers = ControlRegisters(AcceleratorConfig())
    for name, member in axi4_lite_slave_ports("axil", ADDRESS_BITS).items():
        slave, master = getattr(registers, f"s_{name}"), getattr(dut, f"m_{name}")
        m.d.comb += slave.eq(master) if member.flow is In else master.eq(slave)

    async def access(ctx, register: str, data: int | None) -> int:
        ctx.set(dut.accesses.payload, {"write": data is not None, "address": OFFSETS[register], "data": data or 0})
        ctx.set(dut.accesses.valid, 1)
        await ctx.tick().until(dut.accesses.ready)
        ctx.set(dut.accesses.valid, 0)
        (result, failed) = await ctx.tick().sample(dut.result, dut.failed).until(dut.done)
        assert not failed
        return result

    async def testbench(ctx) -> None:
        assert await access(ctx, "IDENTITY", None) == IDENTITY
        for register, value in (("INPUT_BASE", 0x1234_5678), ("OUTPUT_BASE", 0xFFFF_0000)):
            await access(ctx, register, value)
            assert await access(ctx, register, None) == value
        assert await access(ctx, "INPUT_BASE", None) == 0x1234_5678

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
