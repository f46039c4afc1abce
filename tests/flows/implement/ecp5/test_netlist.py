"""The synthesised netlist, simulated: what the chip is given computes what the Verilog says, in the same cycles."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from flows.implement.ecp5.lut_products import lut_products, multipliers_beside
from flows.implement.ecp5.synthesis import map_to_cells
from flows.tools import run_yosys
from hwgen import reference
from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig
from hwgen.graph import LayerGraph
from hwgen.importers.tflite import read_tflite
from hwgen.memory_model import DEFAULT_MEMORY
from hwgen.registers import COUNTERS
from hwgen.verilog import TOP_MODULE, emit
from sim.simulate import run, simulate, simulator
from sim.verilator import build
from tests.flows.implement.ecp5.primitives import DP16KD, MULT18X18D
from tests.hwgen.random_graphs import random_input
from tests.sim.accelerators import ACCELERATORS

LAYERS = 4
"""Of ResNet-8: two convolutions behind the first one, and the addition after them."""
ELEMENT = r"""
module design(input clk, input [3:0] a, input [3:0] b, output reg [3:0] q, output reg [1:0] r);
  reg [3:0] sums;
  reg [1:0] \sums[0] ;
  always @(posedge clk) begin
    sums <= a & b;
    \sums[0] <= a[1:0] ^ {2{b[3]}};
    q <= sums;
    r <= \sums[0] ;
  end
endmodule
"""


def first_layers(graph: LayerGraph, count: int) -> LayerGraph:
    shorter = LayerGraph(f"the first of {graph.name}", graph.digraph.nodes[graph.input_name]["layer"])
    for layer in islice(graph.layers(), count):
        shorter.add(layer, *graph.digraph.nodes[layer.name]["operands"])
    return shorter


def netlist_verilog(config: AcceleratorConfig, in_luts: int, directory: Path) -> str:
    """The accelerator's netlist as Verilog without primitives, with counters for the harness to look at, all 0.

    ``in_luts`` of the array's products are LUTs, and so many multipliers fewer are there.
    """
    multipliers = multipliers_beside(config) + config.multipliers - in_luts
    products = lut_products(config, multipliers)
    design = map_to_cells({"accelerator.v": emit(config)}, TOP_MODULE, products, watch=lambda _: None)
    cells = Counter(cell["type"] for cell in design["modules"][TOP_MODULE]["cells"].values())
    assert cells["MULT18X18D"] == multipliers
    (directory / "netlist.json").write_text(json.dumps(design))
    (directory / "primitives.v").write_text(MULT18X18D + DP16KD)
    commands = (
        "read_verilog -nooverwrite +/lattice/cells_sim_ecp5.v",
        "read_verilog -overwrite primitives.v",
        "read_json netlist.json",
        f"hierarchy -top {TOP_MODULE}",
        "proc",
        "flatten",
        "opt_expr",
        "opt_clean -purge",
        "memory_collect",
        "opt_clean -purge",
        "write_verilog -noattr netlist.v",
    )
    run_yosys(commands, directory, watch=lambda _: None)
    body, end, rest = (directory / "netlist.v").read_text().rpartition("endmodule")
    increments = "".join(f"  wire increment_{counter.name} = 0;\n" for counter in COUNTERS)
    counters = f"module harness_counters;\n  wire clear = 0;\n{increments}endmodule\n"
    registers = "module harness_registers;\n  harness_counters counters ();\nendmodule\n"
    return f"{body}  harness_registers registers ();\n{end}{rest}\n{registers}{counters}"


def test_an_element_of_an_array_is_not_taken_for_a_bit() -> None:
    """Amaranth names the one as Yosys names the other."""
    design = map_to_cells({"design.v": ELEMENT}, "design", [], watch=lambda _: None)
    assert Counter(cell["type"] for cell in design["modules"]["design"]["cells"].values()) == {
        "TRELLIS_FF": 12,
        "LUT4": 6,
    }


@pytest.mark.slow
@pytest.mark.parametrize("in_luts", [0, 5])
def test_the_netlist_runs_the_first_layers_of_resnet8(in_luts: int, data_dir: Path, tmp_path: Path) -> None:
    config = ACCELERATORS["narrow"]
    graph = first_layers(read_tflite(data_dir / "models" / "pretrainedResnet_quant.tflite"), LAYERS)
    inputs = random_input(np.random.default_rng(0), graph)
    program = compile_graph(graph, config)
    # Ten thousand processes: compiling them well takes longer than running them badly.
    design = replace(simulator(netlist_verilog(config, in_luts, tmp_path), config.bus_bits), optimisation="-O1")
    measurement = run(build(design), program, inputs, DEFAULT_MEMORY)
    np.testing.assert_array_equal(measurement.outputs, reference.run(graph, inputs))
    assert measurement.counters == simulate(program, inputs).counters
