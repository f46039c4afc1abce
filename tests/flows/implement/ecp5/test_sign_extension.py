"""Sign extension: no multiplier is given a sign twice, and products are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows.implement.ecp5.multipliers import OPERANDS
from flows.implement.ecp5.sign_extension import move_to_upper_bits
from tests.flows.implement.ecp5.equivalence import prove_equal, synthesise


def verilog(signs: str, widths: tuple[int, int, int]) -> str:
    a, b, p = (f"{signs} [{width - 1}:0]" for width in widths)
    return f"module design(input {a} a, input {b} b, output {p} p);\n  assign p = a * b;\nendmodule\n"


def moved(design: dict[str, Any]) -> dict[str, Any]:
    module = design["modules"]["design"]
    return design | {"modules": {"design": module | {"cells": move_to_upper_bits(module)}}}


def wires(design: dict[str, Any], side: str) -> list[Any]:
    """What enters a multiplier's operand, the least significant first."""
    (cell,) = (cell for cell in design["modules"]["design"]["cells"].values() if cell["type"] == "MULT18X18D")
    return [cell["connections"][port][0] for port in OPERANDS[side]]


@pytest.mark.parametrize("widths", [(8, 8, 16), (9, 5, 14), (18, 4, 22), (8, 8, 12)], ids=str)
def test_each_wire_enters_once_and_the_product_stays_the_same(tmp_path: Path, widths: tuple[int, int, int]) -> None:
    """Proven by Yosys for all operands."""
    design = moved(synthesise(tmp_path, verilog("signed", widths)))
    for side, width in zip("AB", widths, strict=False):
        operand = wires(design, side)
        assert operand[: 18 - width] == ["0"] * (18 - width)
        assert len(set(operand[18 - width :])) == width
    prove_equal(tmp_path, verilog("signed", widths), design, cycles=1)


@pytest.mark.parametrize(("signs", "widths"), [("", (8, 8, 16)), ("signed", (18, 18, 36))], ids=str)
def test_what_has_no_copies_stays(tmp_path: Path, signs: str, widths: tuple[int, int, int]) -> None:
    design = synthesise(tmp_path, verilog(signs, widths))
    assert moved(design) == design


def test_a_product_is_not_moved_beyond_its_last_bit(tmp_path: Path) -> None:
    design = synthesise(tmp_path, verilog("signed", (8, 8, 16)))
    (multiplier,) = (cell for cell in design["modules"]["design"]["cells"].values() if cell["type"] == "MULT18X18D")
    multiplier["connections"]["P20"] = [999]
    design["modules"]["design"]["ports"]["seen"] = {"direction": "output", "bits": [999]}
    assert moved(design) == design
