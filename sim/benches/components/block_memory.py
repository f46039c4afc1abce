"""Bench: BlockMemory under bursts of cocotbext-axi's master while the bridge's accesses come and go.

It keeps what was written by either, and the accesses never delay a burst.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiBus, AxiMaster

from hwgen.board.bridge import AccessLayout
from sim.benches.memory import LATENCY, Monitor

BASE = 0x3F00
"""Of the bursts, shortly before a 4 KiB boundary; the accesses lie below."""
WORD_BYTES = 4


async def start(dut: Any) -> AxiMaster:
    Clock(dut.clk, 10, unit="ns").start()
    dut.accesses__valid.value = 0
    master = AxiMaster(AxiBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst, max_burst_len=16)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 4)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2)
    return master


async def access(dut: Any, address: int, data: int | None) -> int:
    """Write ``data`` to a word, or read it where None."""
    write = data is not None
    dut.accesses__payload.value = AccessLayout.const({"write": write, "address": address, "data": data or 0}).as_bits()
    dut.accesses__valid.value = 1
    await RisingEdge(dut.clk)
    while not dut.accesses__ready.value:
        await RisingEdge(dut.clk)
    dut.accesses__valid.value = 0
    await RisingEdge(dut.clk)
    assert dut.done.value
    return int(dut.result.value)


async def keep_accessing(dut: Any) -> None:
    """Random words below BASE, each read back some time after it was written."""
    words: dict[int, int] = {}
    while True:
        address = random.randrange(0, 256, WORD_BYTES)
        if address in words and random.random() < 0.5:
            assert await access(dut, address, None) == words[address]
        else:
            words[address] = random.getrandbits(32)
            await access(dut, address, words[address])


@cocotb.test()
@cocotb.parametrize(pause=[0.0, 0.3])
async def holds_what_was_written(dut: Any, pause: float) -> None:
    """Random unaligned reads and writes agree with an array of bytes."""
    master = await start(dut)
    cocotb.start_soon(keep_accessing(dut))
    expected = bytearray(random.randbytes(1024))
    await master.write(BASE, bytes(expected))
    for channel in (
        *(master.write_if.aw_channel, master.write_if.w_channel, master.write_if.b_channel),
        *(master.read_if.ar_channel, master.read_if.r_channel),
    ):
        channel.set_pause_generator(iter(lambda: random.random() < pause, None))
    for _ in range(60):
        length = random.randint(1, 300)
        offset = random.randrange(len(expected) - length)
        if random.random() < 0.5:
            expected[offset : offset + length] = data = random.randbytes(length)
            await master.write(BASE + offset, data)
        else:
            read = await master.read(BASE + offset, length)
            assert read.data == expected[offset : offset + length]


@cocotb.test()
async def the_bridge_reads_what_bursts_wrote(dut: Any) -> None:
    master = await start(dut)
    data = random.randbytes(64)
    await master.write(BASE, data)
    for offset in range(0, len(data), WORD_BYTES):
        assert await access(dut, BASE + offset, None) == int.from_bytes(data[offset : offset + WORD_BYTES], "little")


@cocotb.test()
async def bursts_take_the_same_cycles_whatever_the_bridge_does(dut: Any) -> None:
    """Latency is paid once: the beats of eight bursts follow each other without a gap."""
    master = await start(dut)
    lanes = len(dut.s_axi_wstrb)
    cocotb.start_soon(keep_accessing(dut))
    for _ in range(3):
        monitor = Monitor(dut)
        await master.write(BASE & ~4095, bytes(16 * lanes))
        writes = monitor.transfers["w"]
        assert [later - earlier for earlier, later in pairwise(writes)] == [1] * 15
        assert monitor.transfers["b"] == [writes[-1] + LATENCY]
    await master.write(BASE & ~4095, bytes(128 * lanes))
    monitor = Monitor(dut)
    await master.read(BASE & ~4095, 128 * lanes)
    beats = monitor.transfers["r"]
    assert len(monitor.transfers["ar"]) == 8 and len(beats) == 128
    assert beats[0] == monitor.transfers["ar"][0] + LATENCY
    assert [later - earlier for earlier, later in pairwise(beats)] == [1] * 127
