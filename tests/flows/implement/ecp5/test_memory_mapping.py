"""Block memories: as many as Yosys takes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from flows.implement.ecp5.memory_mapping import block_mapping
from flows.tools import run_yosys
from hwgen.rtl.ram import RAM_MODULE, RAM_VERILOG, RamShape

SHAPES = [
    RamShape(width=8, depth=16, granule=8),
    RamShape(width=16, depth=1024, granule=8),  # narrow and deep: bits beside the bytes stay unused
    RamShape(width=32, depth=512, granule=8),
    RamShape(width=32, depth=513, granule=8),  # a word more than wide memories have
    RamShape(width=64, depth=2048, granule=8),
    RamShape(width=128, depth=8192, granule=8),
    RamShape(width=64, depth=512, granule=64),
    RamShape(width=96, depth=682, granule=96),  # no power of two
    RamShape(width=280, depth=1170, granule=280),
    RamShape(width=512, depth=1000, granule=512),  # wide: to select among words costs more than a memory
    RamShape(width=69, depth=128, granule=69),
    RamShape(width=276, depth=512, granule=276),
]


def test_each_shape_takes_as_many_block_memories_as_yosys_makes_of_it(tmp_path: Path) -> None:
    ports, instances = ["input clk"], []
    for index, shape in enumerate(SHAPES):
        address_bits = max(1, (shape.depth - 1).bit_length())
        widths = {
            "read_enable": 1,
            "read_address": address_bits,
            "write_enable": shape.width // shape.granule,
            "write_address": address_bits,
            "write_data": shape.width,
        }
        ports += [f"input [{width - 1}:0] {name}_{index}" for name, width in widths.items()]
        ports.append(f"output [{shape.width - 1}:0] read_data_{index}")
        connections = ", ".join(f".{name}({name}_{index})" for name in ("read_data", *widths))
        instances.append(
            f"{RAM_MODULE} #(.WIDTH({shape.width}), .DEPTH({shape.depth}), .GRANULE({shape.granule}), "
            f".ADDRESS_BITS({address_bits})) ram_{index}(.clk(clk), {connections});"
        )
    body = "\n".join(instances)
    (tmp_path / "rams.v").write_text(f"{RAM_VERILOG}\nmodule rams({', '.join(ports)});\n{body}\nendmodule\n")
    commands = ("read_verilog rams.v", "synth_lattice -family ecp5 -top rams -run :map_gates", "select rams")
    run_yosys([*commands, "write_json -selected netlist.json"], tmp_path, watch=lambda _: None)
    cells = json.loads((tmp_path / "netlist.json").read_text())["modules"]["rams"]["cells"]
    found = Counter(name.split(".")[0] for name, cell in cells.items() if cell["type"] == "DP16KD")
    assert found == {f"ram_{index}": block_mapping(shape).cells for index, shape in enumerate(SHAPES)}
