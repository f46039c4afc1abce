"""AcceleratorConfig to Verilog."""

from __future__ import annotations

from amaranth.back import verilog

from hwgen.config import AcceleratorConfig
from hwgen.rtl.accelerator import Accelerator

TOP_MODULE = "cosynth_accelerator"


def emit(config: AcceleratorConfig) -> str:
    """The accelerator's Verilog: one module per component, the top named ``cosynth_accelerator``."""
    text: str = verilog.convert(Accelerator(config), name=TOP_MODULE, strip_internal_attrs=True)
    return text
