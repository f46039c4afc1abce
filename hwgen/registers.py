"""The accelerator's AXI4-Lite register map and performance counters: one table for RTL, C header and drivers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Register:
    """A 32-bit register at a byte offset."""

    name: str
    offset: int
    access: str
    """``rw``, ``ro`` or ``wo``."""
    description: str


@dataclass(frozen=True)
class Counter:
    """A 48-bit event counter, read as two 32-bit registers (low word first); cleared when a run starts."""

    name: str
    description: str


IDENTITY = 0x434F5359
"""Value of the IDENTITY register: ``COSY``."""

REGISTERS: tuple[Register, ...] = (
    Register("CONTROL", 0x00, "wo", "bit 0: start the program; ignored while a run is in progress"),
    Register("STATUS", 0x04, "ro", "bit 0: done (cleared by start); bit 1: running; bit 2: bus error in this run"),
    Register("IDENTITY", 0x08, "ro", "0x434F5359, 'COSY'"),
    Register("GEOMETRY", 0x0C, "ro", "bits 7..0: array rows; 15..8: array columns; 31..16: bus width in bits"),
    Register("IMAGE_BASE", 0x10, "rw", "byte address of the program image, a multiple of 4096"),
    Register("SCRATCH_BASE", 0x14, "rw", "byte address of the scratch region, a multiple of 4096"),
    Register("INPUT_BASE", 0x18, "rw", "byte address of the input tensor, a multiple of 64"),
    Register("OUTPUT_BASE", 0x1C, "rw", "byte address of the output tensor, a multiple of 64"),
)

OFFSETS = {register.name: register.offset for register in REGISTERS}
"""By name."""
DONE = 1 << 0
"""In STATUS: the run has ended."""
BUS_ERROR = 1 << 2
"""In STATUS: the memory answered with an error."""

COUNTER_BASE = 0x100
"""Byte offset of the first counter; counter i has its low word at ``COUNTER_BASE + 8 * i``."""

COUNTERS: tuple[Counter, ...] = (
    Counter("cycles", "clock cycles from start to done"),
    Counter("load_busy", "cycles in which the load engine holds an instruction"),
    Counter("compute_busy", "cycles in which the array or the adder takes operands"),
    Counter("store_busy", "cycles in which the store engine holds an instruction"),
    Counter("load_wait", "cycles in which the next load waits for a buffer to be free"),
    Counter("compute_wait_load", "cycles in which the next computation waits for operands"),
    Counter("compute_wait_store", "cycles in which the next computation waits for output space"),
    Counter("compute_wait_compute", "cycles in which the next computation waits for an earlier one"),
    Counter("compute_wait_drain", "cycles in which the array waits for accumulators to be requantised"),
    Counter("store_wait", "cycles in which the next store waits for its data"),
    Counter("read_wait", "cycles in which the read channel has requests outstanding and no data"),
    Counter("write_wait", "cycles in which write data is offered and not taken"),
    Counter("macs", "multiply-accumulates of the network, zero lanes excluded"),
    Counter("act_reads", "operand vectors read from the activation buffer"),
    Counter("act_writes", "result vectors written to the activation buffer"),
    Counter("weight_reads", "weight buffer words read by the array"),
    Counter("weight_file_accesses", "words of rows x cols weights written to the register file or read from it"),
    Counter("input_file_accesses", "operands of all array rows written to the register file or read from it"),
    Counter("psum_updates", "partial sums of all columns read and written"),
    Counter("requantised", "accumulators scaled to int8"),
    Counter("dram_read_beats", "data beats read over AXI"),
    Counter("dram_write_beats", "data beats written over AXI"),
)


def counter_values(words: Sequence[int]) -> dict[str, int]:
    """The counters by name, of the registers' values from ``COUNTER_BASE`` on."""
    return {counter.name: words[2 * i] | words[2 * i + 1] << 32 for i, counter in enumerate(COUNTERS)}
