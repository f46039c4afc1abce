"""What the components' benches begin with: the configuration of the plusargs, a clock and a reset."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles

from hwgen.config import AcceleratorConfig, load_config


def configuration() -> AcceleratorConfig:
    """The configuration whose fields are plusargs."""
    names = [field.name for field in fields(AcceleratorConfig)]
    return load_config("default", tuple(f"{name}={cocotb.plusargs[name]}" for name in names))


async def start(dut: Any, *inputs: str) -> None:
    """Start the clock and reset the component, with these inputs low."""
    Clock(dut.clk, 10, unit="ns").start()
    for name in inputs:
        getattr(dut, name).value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
