"""Lanes that stand still elsewhere work all the time on an ECP5: none of their registers has an enable."""

from __future__ import annotations

from flows.implement.ecp5.standstill import ENABLE, lanes_always_work
from flows.implement.netlist import yosys_netlist
from hwgen.config import AcceleratorConfig
from hwgen.verilog import TOP_MODULE, emit

TO_REGISTERS = [f"hierarchy -top {TOP_MODULE}", "proc", "flatten", "opt", "write_json netlist.json"]


def lanes_enables(verilog: str) -> set[str]:
    """Names of the lanes' enables that registers of ``verilog`` have."""
    design = yosys_netlist({"design.v": verilog}, TOP_MODULE, TO_REGISTERS, lambda _: None)
    module = design["modules"][TOP_MODULE]
    names = {bit: name for name, net in module["netnames"].items() for bit in net["bits"]}
    enables = {names.get(bit, "") for cell in module["cells"].values() for bit in cell["connections"].get("EN", ())}
    return {name for name in enables if f".{ENABLE}" in name}


def test_the_enables_of_lanes_are_tied() -> None:
    verilog = emit(AcceleratorConfig(rows=2, cols=2, rf_depth=2, requant_lanes=1))
    assert len(lanes_enables(verilog)) == 2
    assert lanes_enables(lanes_always_work(verilog)) == set()
