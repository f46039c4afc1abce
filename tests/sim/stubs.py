"""A stub with the accelerator's ports, tests/sim/stub_accelerator.sv, and Programs for it."""

from __future__ import annotations

import struct
from pathlib import Path

from hwgen.config import AcceleratorConfig
from hwgen.graph import TensorType
from hwgen.program import Engine, LayerSpan, Program
from hwgen.registers import COUNTERS

BURST = 16


def stub_verilog(bus_bits: int) -> str:
    text = Path(__file__).with_name("stub_accelerator.sv").read_text(encoding="utf-8")
    increments = "".join(f"  wire increment_{counter.name} = {counter.name == 'cycles':d};\n" for counter in COUNTERS)
    counters = f"module stub_counters (input clear);\n{increments}endmodule\n"
    registers = "module stub_registers (input start);\n  stub_counters counters (.clear(start));\nendmodule\n"
    return text.replace("DATA_BITS = 64", f"DATA_BITS = {bus_bits}") + registers + counters


def copy_program(bursts: int, bus_bits: int = 64, copied: int | None = None) -> Program:
    """Copies ``bursts`` bursts from input to output (or ``copied`` bursts, where the tensors are longer)."""
    burst_bytes = BURST * bus_bits // 8
    tensor = TensorType((1, bursts, burst_bytes), 1.0, 0)
    copied = bursts if copied is None else copied
    return Program(
        network="copy",
        config=AcceleratorConfig(bus_bits=bus_bits),
        image=struct.pack("<I28x", copied * burst_bytes),
        scratch_bytes=0,
        input=tensor,
        output=tensor,
        layers=(LayerSpan("first", "copy", 0, Engine.STORE, 1), LayerSpan("rest", "copy", 0, Engine.STORE, copied)),
        host_operators=(),
    )
