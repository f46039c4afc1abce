"""Bench: BlockMemory under bursts of cocotbext-axi's master while the bridge's accesses come and go.

It keeps what was written by either, and the accesses never delay a burst.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiMaster

from hwgen.board.bridge import AccessLayout
from sim.benches import memory
from sim.benches.memory import BASE, LATENCY, Monitor, keeps_bytes

WORD_BYTES = 4


async def start(dut: Any) -> AxiMaster:
    dut.accesses__valid.value = 0
    return await memory.start(dut)


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
    """However the bridge accesses words below."""
    master = await start(dut)
    cocotb.start_soon(keep_accessing(dut))
    await keeps_bytes(master, pause)


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
