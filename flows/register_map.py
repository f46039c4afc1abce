"""The register map as Markdown, for people who integrate the Verilog."""

from __future__ import annotations

from hwgen.registers import COUNTER_BASE, COUNTERS, REGISTERS


def register_map() -> str:
    """All registers and counters, by offset."""
    lines = [
        "# Register map",
        "",
        "AXI4-Lite slave, 32-bit registers, byte offsets. Counters are 48 bits wide, low word first, cleared when a "
        "run starts.",
        "",
        "| offset | name | access | meaning |",
        "|---|---|---|---|",
    ]
    lines += [f"| 0x{r.offset:03x} | {r.name} | {r.access} | {r.description} |" for r in REGISTERS]
    lines += [
        f"| 0x{COUNTER_BASE + 8 * index:03x} | {counter.name} | ro | {counter.description} |"
        for index, counter in enumerate(COUNTERS)
    ]
    return "\n".join(lines) + "\n"
