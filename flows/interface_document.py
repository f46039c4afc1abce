"""The generated Verilog's ports and registers as Markdown, for people who integrate it."""

from __future__ import annotations

from amaranth.hdl import Shape
from amaranth.lib.wiring import Flow

from hwgen.config import AcceleratorConfig
from hwgen.registers import COUNTER_BASE, COUNTERS, REGISTERS
from hwgen.rtl.accelerator import Accelerator
from hwgen.verilog import TOP_MODULE

_GROUPS = {
    "s_axil_": "AXI4-Lite slave: control, status and counters",
    "m_axi_": "AXI4 master: program, weights and tensors",
    "irq": "high from the end of a run to the next start",
    "retire": "one pulse per instruction retired by the load (bit 0), compute (bit 1) and store (bit 2) engine",
}

_USE = """\
## Use

1. Connect `clk` and `rst`, the AXI4 master to memory and the AXI4-Lite slave to the processor.
2. Place four regions in memory without overlap: the program image (`program.bin`) and the scratch region on multiples
   of 4096, the input and output tensors on multiples of 64; `manifest.json` has their sizes.
3. Write the four base registers, write 1 to CONTROL, wait for bit 0 of STATUS or for `irq`. `cosynth.h` does so in C.
"""


def interface_document(config: AcceleratorConfig) -> str:
    """Ports of the accelerator of ``config`` and its register map."""
    return "\n".join([f"# Interface of `{TOP_MODULE}`", "", *_ports(config), "", _USE, *_registers()]) + "\n"


def _ports(config: AcceleratorConfig) -> list[str]:
    rows = ["| port | direction | bits | |", "|---|---|---|---|"]
    rows.append("| `clk` | in | 1 | clock, rising edge |")
    rows.append("| `rst` | in | 1 | synchronous reset, active high |")
    for name, member in Accelerator(config).signature.members.items():
        direction = "out" if member.flow is Flow.Out else "in"
        group = next(text for prefix, text in _GROUPS.items() if name.startswith(prefix))
        rows.append(f"| `{name}` | {direction} | {Shape.cast(member.shape).width} | {group} |")
    return ["## Ports", "", *rows]


def _registers() -> list[str]:
    rows = ["| offset | name | access | meaning |", "|---|---|---|---|"]
    rows += [
        f"| 0x{register.offset:03x} | {register.name} | {register.access} | {register.description} |"
        for register in REGISTERS
    ]
    rows += [
        f"| 0x{COUNTER_BASE + 8 * index:03x} | {counter.name} | ro | {counter.description} |"
        for index, counter in enumerate(COUNTERS)
    ]
    note = "32-bit registers at byte offsets. Counters are 48 bits wide, low word first, and cleared when a run starts."
    return ["## Registers", "", note, "", *rows]
