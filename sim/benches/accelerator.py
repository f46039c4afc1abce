"""Bench: the bare accelerator between cocotbext-axi's memory and master, which check the protocol, under back-pressure.

It takes the plusargs of hdl/cosynth_top.sv and writes the same ``output`` file; every channel pauses at random.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, First, RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam

from hwgen.registers import DONE, OFFSETS

MEMORY_BYTES = 1 << 22
TIMEOUT_CYCLES = 1_000_000


def pauses(probability: float) -> Iterator[bool]:
    """Whether a channel pauses, cycle by cycle."""
    while True:
        yield random.random() < probability


def path_argument(name: str) -> Path:
    return Path(str(cocotb.plusargs[name]))


def number(name: str) -> int:
    return int(str(cocotb.plusargs[name]))


@cocotb.test()
async def runs_every_sample(dut: Any) -> None:
    """Each sample runs to done without a bus error; the test that started the bench compares the outputs."""
    Clock(dut.clk, 10, unit="ns").start()
    memory = AxiRam(AxiBus.from_prefix(dut, "m_axi"), dut.clk, dut.rst, size=MEMORY_BYTES)
    host = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
    channels = (
        *(memory.write_if.aw_channel, memory.write_if.w_channel, memory.write_if.b_channel),
        *(memory.read_if.ar_channel, memory.read_if.r_channel),
        *(host.write_if.aw_channel, host.write_if.w_channel, host.write_if.b_channel),
        *(host.read_if.ar_channel, host.read_if.r_channel),
    )
    for channel in channels:
        channel.set_pause_generator(pauses(random.choice((0.0, 0.2, 0.7))))

    dut.rst.value = 1
    await ClockCycles(dut.clk, 5)
    dut.rst.value = 0

    memory.write(number("image_base"), path_argument("image").read_bytes())
    for region in ("image", "scratch", "input", "output"):
        await host.write_dword(OFFSETS[f"{region.upper()}_BASE"], number(f"{region}_base"))
    inputs, size = path_argument("input").read_bytes(), number("input_bytes")
    with path_argument("output").open("wb") as outputs:
        for sample in range(number("samples")):
            memory.write(number("input_base"), inputs[sample * size : (sample + 1) * size])
            await host.write_dword(OFFSETS["CONTROL"], 1)
            await First(RisingEdge(dut.irq), ClockCycles(dut.clk, TIMEOUT_CYCLES))
            assert await host.read_dword(OFFSETS["STATUS"]) == DONE, f"sample {sample} is not done, or met a bus error"
            outputs.write(memory.read(number("output_base"), number("output_bytes")))
