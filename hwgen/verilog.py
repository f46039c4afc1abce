"""AcceleratorConfig to Verilog."""

from __future__ import annotations

from amaranth._toolchain.yosys import find_yosys
from amaranth.back import rtlil

from hwgen.config import AcceleratorConfig
from hwgen.rtl.accelerator import Accelerator
from hwgen.rtl.ram import RAM_VERILOG

TOP_MODULE = "cosynth_accelerator"

# As amaranth.back.verilog does it, without attributes that only Amaranth reads.
YOSYS_SCRIPT = """\
proc -nomux -norom
memory_collect
attrmap -remove generator -remove top -remove amaranth.hierarchy -remove amaranth.decoding
attrmap -modattr -remove generator -remove top -remove amaranth.hierarchy
write_verilog -norename
"""


def emit(config: AcceleratorConfig) -> str:
    """The accelerator's Verilog: one module per component, the top named ``cosynth_accelerator``."""
    description = rtlil.convert(Accelerator(config), name=TOP_MODULE, emit_src=False)
    yosys = find_yosys(lambda version: version >= (0, 40))
    text: str = yosys.run(
        ["-q", "-"], f"read_rtlil <<rtlil\n{description}\nrtlil\n{YOSYS_SCRIPT}", ignore_warnings=True
    )
    return f"{text}\n{RAM_VERILOG}"
