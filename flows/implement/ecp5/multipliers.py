"""Registers around multipliers become the multipliers' own, which Yosys does not do: it maps multiplication alone.

A product that is ready late in its cycle then no longer has to reach a flip-flop elsewhere in that cycle, nor an
operand a multiplier early in its own, and the chip is left with as many flip-flops and wires fewer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.implement.ecp5.cells import Cell, readers_of
from flows.implement.ecp5.registers import agree, is_plain, timing

PRODUCT = tuple(f"P{bit}" for bit in range(36))
OPERANDS = {side: tuple(f"{side}{bit}" for bit in range(18)) for side in "AB"}
ENABLES = {"OUTPUT": "CE0", "INPUTA": "CE1", "INPUTB": "CE2"}
"""By what a multiplier registers."""


def absorb_registers(module: Mapping[str, Any]) -> dict[str, Cell]:
    """The cells of ``module`` with registers taken into each MULT18X18D.

    The product is registered there where only registers read it, the operands where registers alone are both, whatever
    else reads these: a register that nothing reads any more goes. Registers of a port must share their clock and their
    enable, and have no reset; what is otherwise stays as it is.
    """
    cells = _absorb_products(module)
    drivers = {cell["connections"]["Q"][0]: cell for cell in cells.values() if is_plain(cell)}
    operands: set[int] = set()
    for name, cell in cells.items():
        if cell["type"] == "MULT18X18D":
            registers = {side: _operand_registers(cell, side, drivers) for side in OPERANDS}
            clocks = {timing(register)[0] for absorbed in registers.values() for register in absorbed.values()}
            clocks.update(cell["connections"]["CLK0"] if "REG_OUTPUT_CLK" in cell["parameters"] else ())
            if all(registers.values()) and len(clocks) == 1:
                for side, absorbed in registers.items():
                    operands.update(register["connections"]["Q"][0] for register in absorbed.values())
                    cells[name] = _registered(cells[name], f"INPUT{side}", absorbed, "DI")
    readers = readers_of({**module, "cells": cells})
    unread = {wire for wire in operands if not readers[wire]}
    return {
        name: cell for name, cell in cells.items() if not (is_plain(cell) and cell["connections"]["Q"][0] in unread)
    }


def _absorb_products(module: Mapping[str, Any]) -> dict[str, Cell]:
    cells: dict[str, Cell] = dict(module["cells"])
    readers = readers_of(module)
    for name, cell in module["cells"].items():
        if cell["type"] != "MULT18X18D":
            continue
        read_by = {
            bit: [reader for wire in cell["connections"].get(bit, []) for reader in readers.get(wire, [])]
            for bit in PRODUCT
        }
        if all(len(each) <= 1 and all(port == "DI" for _, port in each) for each in read_by.values()):
            names = {bit: each[0][0] for bit, each in read_by.items() if each}
            registers = {bit: cells[register] for bit, register in names.items()}
            if agree(registers.values()):
                cells[name] = _registered(cell, "OUTPUT", registers, "Q")
                for register in names.values():
                    del cells[register]
    return cells


def _operand_registers(multiplier: Cell, side: str, drivers: Mapping[int, Cell]) -> dict[str, Cell]:
    """The register of each bit of an operand that is not always 0; none where one of them cannot be absorbed."""
    wires = {bit: multiplier["connections"][bit][0] for bit in OPERANDS[side] if bit in multiplier["connections"]}
    registers = {bit: drivers.get(wire) for bit, wire in wires.items() if wire not in ("0", "x")}
    found = {bit: register for bit, register in registers.items() if register is not None}
    return found if len(found) == len(registers) and agree(found.values()) else {}


def _registered(multiplier: Cell, what: str, registers: Mapping[str, Cell], port: str) -> Cell:
    """The multiplier with ``registers`` taken in, connected as they are at ``port``."""
    clock, enable = timing(next(iter(registers.values())))
    control = {"CLK0": [clock], ENABLES[what]: [enable], "RST0": ["0"]}
    connections = {bit: register["connections"][port] for bit, register in registers.items()}
    parameters = {f"REG_{what}_CLK": "CLK0", f"REG_{what}_CE": ENABLES[what], f"REG_{what}_RST": "RST0"}
    return multiplier | {
        "parameters": multiplier["parameters"] | parameters,
        "port_directions": multiplier["port_directions"] | dict.fromkeys(control, "input"),
        "connections": multiplier["connections"] | connections | control,
    }
