"""Bench: hdl/axi_memory.sv against cocotbext-axi's master; its ``latency`` and ``interval`` plusargs hold exactly."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiBus, AxiMaster

LATENCY = int(str(cocotb.plusargs["latency"]))
INTERVAL = int(str(cocotb.plusargs["interval"]))
BASE = 0x3F00
"""Shortly before a 4 KiB boundary."""


class Monitor:
    """Numbers of the clock edges at which each channel transferred."""

    def __init__(self, dut: Any) -> None:
        self.transfers: dict[str, list[int]] = {channel: [] for channel in ("ar", "r", "aw", "w", "b")}
        cocotb.start_soon(self._watch(dut))

    async def _watch(self, dut: Any) -> None:
        edge = 0
        while True:
            await RisingEdge(dut.clk)
            edge += 1
            for channel, edges in self.transfers.items():
                if getattr(dut, f"s_axi_{channel}valid").value and getattr(dut, f"s_axi_{channel}ready").value:
                    edges.append(edge)


async def start(dut: Any) -> AxiMaster:
    Clock(dut.clk, 10, unit="ns").start()
    master = AxiMaster(AxiBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst, max_burst_len=16)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 4)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2)
    return master


async def keeps_bytes(master: AxiMaster, pause: float) -> None:
    """Random unaligned reads and writes agree with an array; every channel pauses in a part ``pause`` of the cycles."""
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
async def holds_what_was_written(dut: Any) -> None:
    master = await start(dut)
    await keeps_bytes(master, pause=0.3)


@cocotb.test()
async def first_beat_comes_after_the_latency(dut: Any) -> None:
    master = await start(dut)
    await master.write(BASE, bytes(64))
    monitor = Monitor(dut)
    for _ in range(3):
        await master.read(BASE, 1)
    first_beats = [r - ar for ar, r in zip(monitor.transfers["ar"], monitor.transfers["r"], strict=True)]
    assert first_beats == [LATENCY] * 3


@cocotb.test()
async def response_comes_after_the_latency(dut: Any) -> None:
    master = await start(dut)
    monitor = Monitor(dut)
    for _ in range(3):
        await master.write(BASE, bytes(1))
    assert [b - w for w, b in zip(monitor.transfers["w"], monitor.transfers["b"], strict=True)] == [LATENCY] * 3


@cocotb.test()
async def bursts_in_flight_sustain_the_full_bandwidth(dut: Any) -> None:
    """Latency is paid once: the beats of eight bursts follow each other without a gap."""
    master = await start(dut)
    lanes = len(dut.s_axi_wstrb)
    await master.write(BASE & ~4095, bytes(128 * lanes))
    monitor = Monitor(dut)
    await master.read(BASE & ~4095, 128 * lanes)
    beats = monitor.transfers["r"]
    assert len(monitor.transfers["ar"]) == 8 and len(beats) == 128
    assert beats[0] - monitor.transfers["ar"][0] == LATENCY
    assert [later - earlier for earlier, later in pairwise(beats)] == [INTERVAL] * 127


@cocotb.test()
async def writes_are_taken_at_the_full_bandwidth(dut: Any) -> None:
    master = await start(dut)
    monitor = Monitor(dut)
    await master.write(BASE & ~4095, bytes(16 * len(dut.s_axi_wstrb)))
    beats = monitor.transfers["w"]
    assert [later - earlier for earlier, later in pairwise(beats)] == [INTERVAL] * 15
