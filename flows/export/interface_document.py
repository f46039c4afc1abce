"""The generated Verilog's ports and registers as Markdown, for people who integrate it."""

from __future__ import annotations

import re

from hwgen.registers import COUNTER_BASE, COUNTERS, REGISTERS
from hwgen.verilog import TOP_MODULE

_GROUPS = {
    "clk": "clock, rising edge",
    "rst": "synchronous reset, active high",
    "s_axil_": "AXI4-Lite slave: control, status and counters",
    "m_axi_": "AXI4 master: program, weights and tensors",
    "irq": "high from the end of a run to the next start",
    "retire": "one pulse per instruction retired by the load (bit 0), compute (bit 1) and store (bit 2) engine",
}

_USE = """\
## Use

1. Connect `clk` and `rst`, the AXI4 master to memory and the AXI4-Lite slave to the processor. Memory may offer data
   from the cycle after that in which it takes their address; tests begin with the second after it.
2. Place four regions in memory without overlap: the program image (`program.bin`) and the scratch region on multiples
   of 4096, the input and output tensors on multiples of 64; `manifest.json` has their sizes.
3. Write the four base registers, write 1 to CONTROL, wait for bit 0 of STATUS or for `irq`. `cosynth.h` does so in C.
"""


def interface_document(verilog: str) -> str:
    """Ports of the accelerator in ``verilog`` and its register map."""
    return "\n".join([f"# Interface of `{TOP_MODULE}`", "", *_ports(verilog), "", _USE, *_registers()]) + "\n"


def _ports(verilog: str) -> list[str]:
    start = verilog.index(f"module {TOP_MODULE}(")
    module = verilog[start : verilog.index("endmodule", start)]
    declarations = re.findall(r"^\s*(input|output) (?:\[(\d+):0\] )?(\w+)\s*;", module, re.MULTILINE)
    ports = {name: (direction.removesuffix("put"), int(high or 0) + 1) for direction, high, name in declarations}
    rows = ["| port | direction | bits | |", "|---|---|---|---|"]
    for prefix, meaning in _GROUPS.items():
        rows += [
            f"| `{name}` | {direction} | {bits} | {meaning} |"
            for name, (direction, bits) in ports.items()
            if name.startswith(prefix)
        ]
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
    note = (
        "32-bit registers at byte offsets. Counters are 48 bits wide, low word first, and cleared when a run starts. "
        f"Their totals lie in a memory: a read waits up to {len(COUNTERS)} cycles for its counter's turn, and has all "
        "that was counted before it."
    )
    return ["## Registers", "", note, "", *rows]
