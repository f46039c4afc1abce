"""Random layers on random accelerators of every dataflow: bit-exact, and counting what each dataflow must do."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen import reference
from hwgen.compiler import compile_graph
from hwgen.compiler.steps import layer_steps
from hwgen.config import PARTIAL_SUM_PIXELS, AcceleratorConfig, Dataflow
from hwgen.graph import Conv, Window
from hwgen.isa import Opcode
from sim.simulate import simulate
from tests.hwgen.interpreter import instructions
from tests.hwgen.random_configs import random_config
from tests.hwgen.random_graphs import random_input, random_layer_graph
from tests.hwgen.single_layers import single_layer
from tests.sim.accelerators import ACCELERATORS

GRAPHS = 42
"""Networks per accelerator: those of the slow test make 1008 cases."""
ACCESSES = ("macs", "act_reads", "weight_reads", "weight_file_accesses", "input_file_accesses", "psum_updates")


@pytest.mark.slow
@pytest.mark.parametrize("dataflow", Dataflow)
@pytest.mark.parametrize("seed", range(8))
def test_random_networks_on_random_accelerators_are_bit_exact(dataflow: Dataflow, seed: int) -> None:
    rng = np.random.default_rng([seed, list(Dataflow).index(dataflow)])
    config = random_config(rng, dataflow)
    mismatches = []
    for case in range(GRAPHS):
        graph = random_layer_graph(rng, max_elements=1024)
        inputs = random_input(rng, graph)
        measurement = simulate(compile_graph(graph, config), inputs)
        if not np.array_equal(measurement.outputs, reference.run(graph, inputs)):
            mismatches.append(case)
    assert not mismatches, f"on {config}"


@pytest.mark.parametrize("config", ACCELERATORS.values(), ids=ACCELERATORS)
def test_each_dataflow_reads_and_writes_what_it_must(config: AcceleratorConfig) -> None:
    """A convolution of 3x3, whose tiles are no larger than a block of the weight- and row-stationary arrays."""
    graph = single_layer(Conv, (6, 10, 8), 5, Window((3, 3)))
    program = compile_graph(graph, config)
    counters = simulate(program, random_input(np.random.default_rng(0), graph)).counters
    (layer,) = graph.layers()
    steps = layer_steps(layer, graph.input.output, config)
    macs = [instruction for instruction in instructions(program.image) if instruction.opcode is Opcode.MAC]
    pixels = sum(mac.out_height * mac.out_width * mac.groups for mac in macs)
    rows = sum(mac.out_height * mac.groups for mac in macs)
    chunk = {Dataflow.OS: 1, Dataflow.WS: config.rf_depth, Dataflow.RS: config.rf_depth // 3 * 3}[config.dataflow]
    block = config.rf_depth if config.dataflow is Dataflow.OS else PARTIAL_SUM_PIXELS
    # Where rows are stationary, pixels after an output row's first share two columns of three with the one before.
    fetching = rows * steps.count + (pixels - rows) * steps.count // 3
    assert {name: counters[name] for name in ACCESSES} == {
        "macs": 4 * 8 * 5 * 3 * 3 * 8,
        "act_reads": steps.rows * (fetching if config.dataflow is Dataflow.RS else pixels * steps.count),
        "weight_reads": steps.count * sum(mac.groups * -(-mac.out_height * mac.out_width // block) for mac in macs),
        "weight_file_accesses": 0 if config.dataflow is Dataflow.OS else pixels * steps.count,
        "input_file_accesses": pixels * steps.count if config.dataflow is Dataflow.RS else 0,
        "psum_updates": pixels * -(-steps.count // chunk),
    }
