"""Registers of products become the multipliers' own, which Yosys does not do: it maps multiplication alone.

A product that is ready late in its cycle then no longer has to reach a flip-flop elsewhere in that cycle, and the chip
is left with as many flip-flops and wires fewer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Cell = dict[str, Any]
"""A cell of Yosys's JSON netlist."""
Readers = Mapping[int, list[tuple[str, str]]]
"""Of each bit: the cells, and their ports, that read it; module ports stand under no cell's name."""

PRODUCT = tuple(f"P{bit}" for bit in range(36))


def absorb_product_registers(module: Mapping[str, Any]) -> dict[str, Cell]:
    """The cells of ``module`` with each MULT18X18D's product registered in it where only registers read the product.

    The registers must share a clock and an enable and have no reset; a multiplier's other products stay as they are.
    """
    cells: dict[str, Cell] = module["cells"]
    readers = _readers(module)
    absorbed = dict(cells)
    for name, cell in cells.items():
        if cell["type"] == "MULT18X18D":
            registers = _product_registers(cell, cells, readers)
            if registers:
                absorbed[name] = _registered(cell, registers)
                for bit in registers:
                    ((register, _),) = readers[cell["connections"][bit][0]]
                    del absorbed[register]
    return absorbed


def _readers(module: Mapping[str, Any]) -> Readers:
    readers: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for name, cell in module["cells"].items():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] != "output":
                for bit in bits:
                    readers[bit].append((name, port))
    for name, port in module["ports"].items():
        for bit in port["bits"]:
            readers[bit].append(("", name))
    return readers


def _product_registers(multiplier: Cell, cells: Mapping[str, Cell], readers: Readers) -> dict[str, Cell]:
    """The register of each bit of the product that anything reads; none where one of them cannot be absorbed."""
    registers = {}
    for bit in PRODUCT:
        read_by = [reader for wire in multiplier["connections"].get(bit, []) for reader in readers.get(wire, [])]
        if not read_by:
            continue
        (name, port), *others = read_by
        if others or port != "DI" or not _is_plain(cells[name]):
            return {}
        registers[bit] = cells[name]
    return registers if len({_timing(register) for register in registers.values()}) == 1 else {}


def _is_plain(register: Cell) -> bool:
    """Whether it is a flip-flop that takes its input at a rising edge, holds 0 at first and is never reset."""
    parameters = register["parameters"]
    return (
        register["type"] == "TRELLIS_FF"
        and parameters["CLKMUX"] == "CLK"
        and parameters["CEMUX"].strip() in ("CE", "1")
        and parameters["REGSET"] == "RESET"
        and register["connections"]["LSR"] == ["0"]
    )


def _timing(register: Cell) -> tuple[Any, Any]:
    """Clock and enable."""
    enabled = register["parameters"]["CEMUX"].strip() == "CE"
    return register["connections"]["CLK"][0], register["connections"]["CE"][0] if enabled else "1"


def _registered(multiplier: Cell, registers: Mapping[str, Cell]) -> Cell:
    clock, enable = _timing(next(iter(registers.values())))
    control = {"CLK0": [clock], "CE0": [enable], "RST0": ["0"]}
    products = {bit: register["connections"]["Q"] for bit, register in registers.items()}
    return multiplier | {
        "parameters": multiplier["parameters"]
        | {"REG_OUTPUT_CLK": "CLK0", "REG_OUTPUT_CE": "CE0", "REG_OUTPUT_RST": "RST0"},
        "port_directions": multiplier["port_directions"] | dict.fromkeys(control, "input"),
        "connections": multiplier["connections"] | products | control,
    }
