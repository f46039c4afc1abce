"""Bench: ControlRegisters through cocotbext-axi's AXI4-Lite master, which checks the protocol, with pauses."""

from __future__ import annotations

import random
from itertools import count
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster

from hwgen.registers import BUS_ERROR, COUNTER_BASE, COUNTERS, DONE, IDENTITY, OFFSETS
from hwgen.rtl.control_registers import BASE_REGISTERS
from hwgen.rtl.counters import largest_increment
from sim.benches.components.setup import configuration, start

CONFIG = configuration()
RUNNING = 2


async def connect(dut: Any) -> AxiLiteMaster:
    increments = [f"increments__{index}" for index in range(len(COUNTERS))]
    await start(dut, "finished", "bus_error", *increments)
    host = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
    write, read = host.write_if, host.read_if
    for channel in (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel):
        channel.set_pause_generator(random.random() < 0.3 for _ in count())
    return host


async def pulse(dut: Any, name: str) -> None:
    getattr(dut, name).value = 1
    await RisingEdge(dut.clk)
    getattr(dut, name).value = 0


async def count_starts(dut: Any, starts: list[None]) -> None:
    while True:
        await RisingEdge(dut.clk)
        if dut.start.value:
            starts.append(None)


async def counters(host: AxiLiteMaster) -> list[int]:
    """All performance counters, from both of their words."""
    return [await host.read_qword(COUNTER_BASE + 8 * index) for index in range(len(COUNTERS))]


@cocotb.test()
async def base_registers_hold_what_was_written(dut: Any) -> None:
    host = await connect(dut)
    held = {name: bytearray(4) for name in BASE_REGISTERS.values()}
    for name in held:
        await host.write(OFFSETS[name], bytes(4))
    for _ in range(60):
        region, name = random.choice(list(BASE_REGISTERS.items()))
        first = random.randrange(4)
        data = random.randbytes(random.randint(1, 4 - first))
        await host.write(OFFSETS[name] + first, data)
        held[name][first : first + len(data)] = data
        assert await host.read_dword(OFFSETS[name]) == int.from_bytes(held[name], "little")
        assert getattr(dut, f"bases__{region}").value == int.from_bytes(held[name], "little")
    for name, value in held.items():
        assert await host.read_dword(OFFSETS[name]) == int.from_bytes(value, "little")


@cocotb.test()
async def constants_cannot_be_written_and_unknown_addresses_read_zero(dut: Any) -> None:
    host = await connect(dut)
    geometry = CONFIG.rows | CONFIG.cols << 8 | CONFIG.bus_bits << 16
    end = COUNTER_BASE + 8 * len(COUNTERS)
    unknown = [OFFSETS["CONTROL"], 0x20, 0x44, COUNTER_BASE - 4, end, end + 4, 0xFFC]
    for offset in (*unknown, OFFSETS["IDENTITY"], OFFSETS["GEOMETRY"], OFFSETS["STATUS"], COUNTER_BASE):
        if offset != OFFSETS["CONTROL"]:
            await host.write_dword(offset, 0xFFFFFFFF)
    assert [await host.read_dword(offset) for offset in unknown] == [0] * len(unknown)
    assert await host.read_dword(OFFSETS["IDENTITY"]) == IDENTITY
    assert await host.read_dword(OFFSETS["GEOMETRY"]) == geometry
    assert await host.read_dword(OFFSETS["STATUS"]) == 0
    assert await counters(host) == [0] * len(COUNTERS)


@cocotb.test()
async def a_run_is_started_once_and_reported_until_the_next(dut: Any) -> None:
    host = await connect(dut)
    starts: list[None] = []
    cocotb.start_soon(count_starts(dut, starts))

    async def status() -> int:
        return await host.read_dword(OFFSETS["STATUS"])

    await host.write_dword(OFFSETS["CONTROL"], 0xFFFFFFFE)
    assert (len(starts), await status()) == (0, 0), "only bit 0 starts"
    for run in range(1, 4):
        await host.write_dword(OFFSETS["CONTROL"], 1)
        assert (len(starts), await status(), dut.done.value) == (run, RUNNING, 0)
        await host.write_dword(OFFSETS["CONTROL"], 1)
        assert (len(starts), await status()) == (run, RUNNING), "a run in progress is not started again"
        has_error = run == 2
        if has_error:
            await pulse(dut, "bus_error")
            assert await status() == RUNNING | BUS_ERROR
        await pulse(dut, "finished")
        assert await status() == DONE | BUS_ERROR * has_error
        assert dut.done.value == 1


@cocotb.test()
async def counters_grow_while_a_run_is_in_progress(dut: Any) -> None:
    host = await connect(dut)
    for _ in range(2):
        await host.write_dword(OFFSETS["CONTROL"], 1)
        expected = [0] * len(COUNTERS)
        for _ in range(100):
            increments = [random.choice((0, largest_increment(counter.name, CONFIG))) for counter in COUNTERS]
            for index, increment in enumerate(increments):
                getattr(dut, f"increments__{index}").value = increment
                expected[index] += increment
            await RisingEdge(dut.clk)
        for index in range(len(COUNTERS)):
            getattr(dut, f"increments__{index}").value = 0
        assert await counters(host) == expected
        await pulse(dut, "finished")
        await RisingEdge(dut.clk)
        dut.increments__0.value = 1
        await ClockCycles(dut.clk, 3)
        dut.increments__0.value = 0
        assert await counters(host) == expected, "counters stand still between runs"
