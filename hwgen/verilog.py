"""Components, and the accelerator of an AcceleratorConfig, to Verilog."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from amaranth._toolchain.yosys import find_yosys
from amaranth.back import rtlil
from amaranth.lib.wiring import Component

from hwgen.config import AcceleratorConfig
from hwgen.register_blocks import join_register_blocks
from hwgen.rtl.accelerator import Accelerator
from hwgen.rtl.ram import RAM_VERILOG
from hwgen.rtl.shared import Library

TOP_MODULE = "cosynth_accelerator"

# As Amaranth writes registers with an enable, they take their own value without it, which in simulation takes time.
ENABLES_SCRIPT = """\
proc {modules}
opt_clean {modules}
opt_dff {modules}
opt_clean {modules}
"""
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
    return component_verilog(Accelerator(config), TOP_MODULE)


def component_verilog(component: Component, name: str) -> str:
    """Verilog of a component and all below it, the component's module named ``name``.

    Registers of shared components, which are pipelines, are written with their enables, other components' under the
    conditions that Amaranth has of them.
    """
    library = Library(component)
    with _garbage_uncollected():
        descriptions = [rtlil.convert(component, name=name, platform=library, emit_src=False)]
        for module, shared in library.modules.items():
            descriptions.append(rtlil.convert(shared, name=module, emit_src=False))
    description = "\n".join(descriptions)
    enables = ENABLES_SCRIPT.format(modules=" ".join(library.modules)) if library.modules else ""
    yosys = find_yosys(lambda version: version >= (0, 40))
    script = f"read_rtlil <<rtlil\n{description}\nrtlil\n{enables}{YOSYS_SCRIPT}"
    text: str = yosys.run(["-q", "-"], script, ignore_warnings=True)
    return f"{join_register_blocks(text)}\n{RAM_VERILOG}"


@contextmanager
def _garbage_uncollected() -> Iterator[None]:
    """Python's collector rests: few of Amaranth's many objects are garbage, and looking takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
