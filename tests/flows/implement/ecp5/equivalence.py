"""Whether a netlist that was changed is still the circuit that the Verilog describes: Yosys's SAT solver says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flows.tools import run_yosys
from tests.flows.implement.ecp5.primitives import MULT18X18D


def synthesise(directory: Path, verilog: str) -> dict[str, Any]:
    """Yosys's JSON of module ``design``, without that of the primitives."""
    (directory / "design.v").write_text(verilog)
    _yosys(directory, "read_verilog design.v", "synth_lattice -family ecp5 -top design -json netlist.json")
    design: dict[str, Any] = json.loads((directory / "netlist.json").read_text())
    return design | {"modules": {"design": design["modules"]["design"]}}


def prove_equal(directory: Path, verilog: str, netlist: dict[str, Any], cycles: int) -> None:
    """That module ``design`` of ``netlist`` and of ``verilog`` agree in the first cycles, whatever their inputs."""
    ports = netlist["modules"]["design"]["ports"]
    inputs = [name for name, port in ports.items() if port["direction"] == "input"]
    outputs = [name for name in ports if name not in inputs]
    width = {name: f"[{len(port['bits']) - 1}:0]" for name, port in ports.items()}
    shared = "".join(f".{name}({name}), " for name in inputs)
    instances = [
        f"{which} {which}({shared}{', '.join(f'.{name}({which}_{name})' for name in outputs)});"
        for which in ("before", "after")
    ]
    compared = " && ".join(f"before_{name} == after_{name}" for name in outputs)
    wires = [f"wire {width[name]} before_{name}, after_{name};" for name in outputs]
    header = ", ".join(f"input {width[name]} {name}" for name in inputs)
    body = "\n".join([*wires, *instances, f"always @* assert ({compared});"])
    (directory / "miter.sv").write_text(f"module miter({header});\n{body}\nendmodule\n")
    (directory / "design.v").write_text(verilog)
    (directory / "changed.json").write_text(json.dumps(netlist))
    (directory / "primitive.v").write_text(MULT18X18D)
    _yosys(
        directory,
        "read_verilog design.v",
        "rename design before",
        "read_json changed.json",
        "rename design after",
        "read_verilog primitive.v",
        "read_verilog -nooverwrite +/lattice/cells_sim_ecp5.v",
        "read_verilog -sv -formal miter.sv",
        "hierarchy -top miter",
        "proc",
        "flatten",
        "chformal -lower",
        "opt -full",
        f"sat -verify -tempinduct-baseonly -maxsteps {cycles} -set-init-zero -prove-asserts miter",
    )


def _yosys(directory: Path, *commands: str) -> None:
    run_yosys(commands, directory, watch=lambda _: None)
