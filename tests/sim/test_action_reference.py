"""The RTL's counters against executions that know nothing of it: the reference's, and that of the compiler's schedule.

MACs are the products that the NumPy reference forms. Accesses to memory and buffers, and results, are those of the
interpreter of the instruction set, which moves every byte that the program says.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hwgen import reference
from hwgen.actions import fetch_beats
from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.graph import Conv, Depthwise, FullyConnected, Layer, LayerGraph
from sim.simulate import simulate
from tests.hwgen.interpreter import instructions, run_machine
from tests.hwgen.random_graphs import random_input, random_layer_graph
from tests.sim.accelerators import ACCELERATORS

SCHEDULED = ("dram_read_beats", "dram_write_beats", "weight_reads", "act_reads", "act_writes", "requantised")


def products(graph: LayerGraph, layer: Layer) -> int:
    """Products that the reference forms for an image: of every operand that each tap sees, with each of its weights."""
    (height, width, channels) = graph.operands(layer)[0].output.shape
    match layer:
        case Conv() | Depthwise():
            padded = reference._padded(np.empty((1, height, width, channels), np.int8), layer.window, 0)
            seen = sum(tap.size for tap in reference._taps(padded, layer.window))
            return seen * (len(layer.weights) if isinstance(layer, Conv) else layer.weights.shape[2] // channels)
        case FullyConnected():
            return len(layer.weights) * height * width * channels
    return 0


@pytest.mark.parametrize("config", ACCELERATORS.values(), ids=ACCELERATORS)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
@example(seed=9798)  # a step counts more MACs than there are multipliers
def test_the_rtl_counts_what_must_happen(config: AcceleratorConfig, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_layer_graph(rng, max_elements=1024)
    image = random_input(rng, graph)
    program = compile_graph(graph, config)
    machine = run_machine(program, image[0], seed)
    *executed, _ = instructions(program.image)
    must = {
        "macs": sum(products(graph, layer) for layer in graph.layers()),
        **{name: machine.counts[name] for name in SCHEDULED},
    }
    if config.dataflow is Dataflow.RS:
        del must["act_reads"]  # the interpreter reads again what the register file keeps between pixels
    must["dram_read_beats"] += fetch_beats(len(executed), config.bus_bytes)
    counters = simulate(program, image).counters
    assert {name: counters[name] for name in must} == must
