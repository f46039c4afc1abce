"""Registers of a netlist that other cells can take in: flip-flops that do nothing but wait."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flows.implement.ecp5.cells import Cell


def is_plain(register: Cell) -> bool:
    """Whether it is a flip-flop that takes its input at a rising edge, holds 0 at first and is never reset."""
    if register["type"] != "TRELLIS_FF":
        return False
    parameters = register["parameters"]
    return (
        parameters["CLKMUX"] == "CLK"
        and parameters["CEMUX"].strip() in ("CE", "1")
        and parameters["REGSET"] == "RESET"
        and register["connections"]["LSR"] == ["0"]
    )


def timing(register: Cell) -> tuple[Any, Any]:
    """Clock and enable."""
    enabled = register["parameters"]["CEMUX"].strip() == "CE"
    return register["connections"]["CLK"][0], register["connections"]["CE"][0] if enabled else "1"


def agree(registers: Collection[Cell]) -> bool:
    """Whether there are registers, all plain and with the same clock and enable."""
    return all(map(is_plain, registers)) and len({timing(register) for register in registers}) == 1
