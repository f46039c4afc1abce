"""Bench: hdl/cosynth_top.sv under cocotb, with the plusargs and the results of the compiled harness."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge


@cocotb.test()
async def runs_to_the_end(dut: Any) -> None:
    """The top does all the work; a fatal message of its own ends the simulation and fails the bench."""
    Clock(dut.clk, 10, unit="ns").start()
    await RisingEdge(dut.finished)
