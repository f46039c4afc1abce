"""Shared components: those of which a design has many alike become one Verilog module with many instances.

Amaranth writes a module per submodule, and sixteen lanes of each kind take it as long as all the rest.
"""

from __future__ import annotations

from amaranth.hdl import ClockSignal, Elaboratable, Instance, ResetSignal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In


class Library:
    """Collects the shared components of a design: on its conversion to Verilog, what Amaranth calls the platform."""

    def __init__(self, top: wiring.Component) -> None:
        self.top = top
        self.modules: dict[str, SharedComponent] = {}
        """A component to be written as the module of that name."""


class SharedComponent(wiring.Component):
    """A component whose logic and ports depend on nothing but its ``module`` name."""

    module = ""
    """Name of the Verilog module."""

    def logic(self) -> Elaboratable:
        """What ``elaborate`` returns for other components."""
        raise NotImplementedError

    def elaborate(self, platform: object) -> Elaboratable:
        """An instance of its module in a design that is converted to Verilog, elsewhere its logic."""
        if not isinstance(platform, Library) or self is platform.top:
            return self.logic()
        platform.modules.setdefault(self.module, self)
        ports = {
            f"{'i' if member.flow is In else 'o'}_{'__'.join(map(str, path))}": Value.cast(value)
            for path, member, value in self.signature.flatten(self)
        }
        return Instance(self.module, i_clk=ClockSignal(), i_rst=ResetSignal(), **ports)
