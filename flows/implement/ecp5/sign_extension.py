"""Sign extension: operands narrower than a multiplier's are moved to its upper bits, with zeros below.

Yosys repeats their signs above instead, and every copy needs a way into the multiplier: half of all of them, where the
operands are bytes. Zeros need none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.implement.ecp5.cells import Cell, Readers, readers_of
from flows.implement.ecp5.multipliers import OPERANDS, PRODUCT


def move_to_upper_bits(module: Mapping[str, Any]) -> dict[str, Cell]:
    """The cells of ``module`` with the signed operands of each MULT18X18D, and with them its product, moved upwards.

    A multiplier stays as it is where product bits are read that would be moved beyond the last.
    """
    readers = readers_of(module)
    return {
        name: _moved(cell, readers) if cell["type"] == "MULT18X18D" else cell for name, cell in module["cells"].items()
    }


def _moved(multiplier: Cell, readers: Readers) -> Cell:
    connections = multiplier["connections"]
    copies = {side: _copies_of_the_sign(multiplier, side) for side in OPERANDS}
    shift = sum(copies.values())
    beyond = [wire for bit in PRODUCT[len(PRODUCT) - shift :] for wire in connections.get(bit, ())]
    if any(readers.get(wire) for wire in beyond):
        return multiplier
    kept = {port: wires for port, wires in connections.items() if port not in PRODUCT}
    for side, ports in OPERANDS.items():
        wires = [["0"]] * copies[side] + [connections[port] for port in ports]
        kept.update(zip(ports, wires, strict=False))
    kept.update(
        (PRODUCT[bit + shift], connections[port])
        for bit, port in enumerate(PRODUCT[: len(PRODUCT) - shift])
        if port in connections
    )
    return multiplier | {"connections": kept}


def _copies_of_the_sign(multiplier: Cell, side: str) -> int:
    """How often an operand's sign is repeated."""
    wires = [multiplier["connections"][port] for port in OPERANDS[side]]
    if multiplier["connections"][f"SIGNED{side}"] != ["1"] or not isinstance(wires[-1][0], int):
        return 0
    return next((count for count, wire in enumerate(reversed(wires)) if wire != wires[-1]), len(wires)) - 1
