"""Fan-out: no copy is read by many, and all of them together are the same circuit."""

from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.implement.ecp5.cells import readers_of
from flows.implement.ecp5.fan_out import CLOCKS, OUTPUTS, split_fan_out
from tests.flows.implement.ecp5.equivalence import prove_equal, synthesise

MOST_READERS = 4
WIDE = """\
  reg enable, choice; reg [11:0] word; reg [2:0] count;
  always @(posedge clk) begin
    enable <= in[0]; choice <= in[1]; count <= count + choice;
    if (enable & count[0]) word <= choice ? {in, in, in} : {4{count}};
  end
  assign out = word;"""
NARROW = "  reg [3:0] word; always @(posedge clk) word <= in; assign out = word;"


def verilog(behaviour: str) -> str:
    return f"module design(input clk, input [3:0] in, output [11:0] out);\n{behaviour}\nendmodule\n"


def cell(kind: str, **ports: int) -> dict[str, Any]:
    """A cell with these wires at its ports."""
    directions = {port: "output" if port in ("Q", "Z", "P0") else "input" for port in ports}
    return {"type": kind, "port_directions": directions, "connections": {port: [at] for port, at in ports.items()}}


def most_read(module: dict[str, Any]) -> int:
    """Readers of the most widely read output of a cell that may be copied."""
    readers = readers_of(module)
    outputs = (
        cell["connections"][OUTPUTS[cell["type"]]][0] for cell in module["cells"].values() if cell["type"] in OUTPUTS
    )
    return max(len(readers[wire]) for wire in outputs)


def test_no_copy_has_many_readers_and_all_are_the_same_circuit(tmp_path: Path) -> None:
    """Proven by Yosys for all inputs in the first cycles."""
    design = synthesise(tmp_path, verilog(WIDE))
    module = design["modules"]["design"]
    assert most_read(module) > 2 * MOST_READERS
    split = module | {"cells": split_fan_out(module, MOST_READERS)}
    assert most_read(split) <= MOST_READERS
    prove_equal(tmp_path, verilog(WIDE), design | {"modules": {"design": split}}, cycles=8)


def test_what_few_read_is_not_copied(tmp_path: Path) -> None:
    module = synthesise(tmp_path, verilog(NARROW))["modules"]["design"]
    assert split_fan_out(module, MOST_READERS) == module["cells"]


@pytest.mark.parametrize("behaviour", [WIDE, NARROW], ids=["wide", "narrow"])
def test_clocks_stay_whole(tmp_path: Path, behaviour: str) -> None:
    module = synthesise(tmp_path, verilog(behaviour))["modules"]["design"]
    cells = split_fan_out(module, MOST_READERS)
    clocks = {tuple(wires) for cell in cells.values() for port, wires in cell["connections"].items() if port in CLOCKS}
    assert len(clocks) == 1


def test_copies_stand_beside_what_they_copy(tmp_path: Path) -> None:
    module = synthesise(tmp_path, verilog(WIDE))["modules"]["design"]
    cells = split_fan_out(module, MOST_READERS)
    copies = cells.keys() - module["cells"].keys()
    assert copies
    assert all(cells[name]["type"] == cells[name.rpartition("$")[0]]["type"] for name in copies)


@settings(max_examples=200, deadline=None)
@given(
    luts=st.lists(st.lists(st.integers(0, 11), min_size=1, max_size=4), min_size=12, max_size=120),
    most_readers=st.integers(8, 16),
)
@example(luts=[[1]] + [[0, 0, 0, 0]] * 11 + [[1, 1, 1, 1]] * 30 + [[0, 1]] * 60, most_readers=8)
def test_every_copy_reads_what_the_copied_cell_read_or_a_copy_of_it(luts: list[list[int]], most_readers: int) -> None:
    """Cells are copied again whose readers were copied after them."""
    cells = {
        f"lut_{output}": cell("LUT4", **dict(zip("ABCD", inputs, strict=False)), Z=output)
        for output, inputs in enumerate(luts)
    }
    split = split_fan_out({"cells": cells, "netnames": {}, "ports": {}}, most_readers)
    copied = {name: name.partition("$")[0] for name in split}
    driven = {found["connections"]["Z"][0]: copied[name] for name, found in split.items()}
    assert len(driven) == len(split)
    for name, found in split.items():
        for port, (wire,) in cells[copied[name]]["connections"].items():
            assert driven[found["connections"][port][0]] == f"lut_{wire}"


def test_a_copy_has_a_wire_of_its_own_beside_those_that_nothing_reads(tmp_path: Path) -> None:
    module = synthesise(tmp_path, verilog(WIDE))["modules"]["design"]
    wires = (wire for cell in module["cells"].values() for at in cell["connections"].values() for wire in at)
    highest = max(wire for wire in wires if isinstance(wire, int))
    unread = cell("LUT4", Z=highest + 1)
    cells = split_fan_out(module | {"cells": module["cells"] | {"unread": unread}}, MOST_READERS)
    driven = Counter(
        wire
        for cell in cells.values()
        for port, wires in cell["connections"].items()
        if cell["port_directions"][port] == "output"
        for wire in wires
    )
    assert set(driven.values()) == {1}


def test_readers_of_a_copy_lead_to_one_column_of_the_array() -> None:
    wires = count(1)
    shared = next(wires)
    cells, netnames = {"register": cell("TRELLIS_FF", Q=shared)}, {}
    for row in range(MOST_READERS):
        for col in range(2):
            operand, product = next(wires), next(wires)
            cells[f"row_{row}_{col}"] = cell("LUT4", A=shared, Z=operand)
            cells[f"multiplier_{row}_{col}"] = cell("MULT18X18D", A0=operand, P0=product)
            netnames[f"array.dot_products.product_{col}_{row}"] = {"bits": [product]}
    split = split_fan_out({"cells": cells, "netnames": netnames, "ports": {}}, MOST_READERS)
    readers = {name: split[name]["connections"]["A"][0] for name in split if name.startswith("row_")}
    columns = {wire: {name[-1] for name, read in readers.items() if read == wire} for wire in readers.values()}
    assert sorted(map(sorted, columns.values())) == [["0"], ["1"]]
