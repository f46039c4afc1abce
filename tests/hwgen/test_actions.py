"""The actions that an instruction is expected to take are those of its components' goldens."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.actions import ACTIONS, action_counts, add_actions, fetch_beats, layer_actions, mac_actions
from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.isa import INSTRUCTIONS_PER_FETCH
from hwgen.registers import COUNTERS
from hwgen.rtl.add_sequencer import add_steps
from hwgen.rtl.drain_writes import drain_order
from hwgen.rtl.mac_steps import mac_steps
from sim.benches.stimulus import random_add, random_macs
from tests.hwgen.random_graphs import random_layer_graph


@pytest.mark.parametrize("dataflow", Dataflow)
@pytest.mark.parametrize("rf_depth", [1, 3, 8])
@pytest.mark.parametrize("seed", range(5))
def test_actions_of_a_mac_are_those_of_its_steps(dataflow: Dataflow, rf_depth: int, seed: int) -> None:
    config = AcceleratorConfig(dataflow=dataflow, rf_depth=rf_depth, requant_lanes=3)
    for mac in random_macs(np.random.default_rng(seed), 10, config):
        steps = mac_steps([mac], config)
        taken = [step for step in steps if step["mac"]]
        size = mac["groups"], mac["group_channels"], mac["last_channels"], mac["out_height"], mac["out_width"]
        drained = [] if mac["hold"] else drain_order(*size, lanes=config.requant_lanes)
        assert mac_actions(mac, config) == {
            "macs": sum(step["macs"] for step in taken),
            "act_reads": sum(len(step["fetched"]) for step in steps if step["fetch"]),
            "act_writes": len(drained),
            "weight_reads": sum(step["new_weights"] for step in steps),
            "weight_file_accesses": 0 if dataflow is Dataflow.OS else len(taken),
            "input_file_accesses": sum(not step["slide"] for step in taken) if dataflow is Dataflow.RS else 0,
            "psum_updates": sum(step["chunk_last"] for step in taken),
            "requantised": sum(count for *_, count in drained),
        }


@pytest.mark.parametrize("seed", range(10))
def test_actions_of_an_addition_are_those_of_its_steps(seed: int) -> None:
    config = AcceleratorConfig(rows=5)
    add = random_add(np.random.default_rng(seed))
    steps = add_steps(add, config.eltwise_lanes)
    assert add_actions(add, config) == {
        "act_reads": len(steps),
        "act_writes": len(steps) // 2,
        "requantised": add["rows"] * add["row_elements"],
    }


@pytest.mark.parametrize("seed", range(5))
def test_a_network_does_what_its_layers_do_and_fetches_its_program(seed: int) -> None:
    config = AcceleratorConfig()
    program = compile_graph(random_layer_graph(np.random.default_rng(seed)), config)
    counts, layers = action_counts(program), layer_actions(program)
    assert set(counts) == set(ACTIONS) <= {counter.name for counter in COUNTERS}
    assert [layer["macs"] for layer in layers] == [layer.macs for layer in program.layers]
    instructions = sum(layer["instructions"] for layer in layers)
    beats = {"dram_read_beats": fetch_beats(instructions, config.bus_bytes)}
    assert counts == {name: sum(layer[name] for layer in layers) + beats.get(name, 0) for name in ACTIONS}


@pytest.mark.parametrize(("instructions", "groups"), [(3, 2), (6, 2), (7, 3), (8, 3), (14, 3), (15, 4)])
def test_the_sequencer_fetches_a_group_beyond_end_and_another_where_end_is_its_groups_last(
    instructions: int, groups: int
) -> None:
    beats_per_instruction = 8
    assert fetch_beats(instructions, bus_bytes=8) == groups * INSTRUCTIONS_PER_FETCH * beats_per_instruction
