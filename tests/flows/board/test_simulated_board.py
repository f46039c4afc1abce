"""A board's whole RTL behind a pseudo-terminal: the host's code sees what simulation of the accelerator shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from flows.accelerators import config_values
from flows.board.driver import run_program
from flows.board.job import board_values, run_on_board
from flows.board.link import open_link
from flows.cli import app
from flows.network import load_network
from flows.simulate.job import random_inputs
from hwgen import reference
from hwgen.board.block_memory import BLOCK_MEMORY
from hwgen.board.config import BoardConfig
from hwgen.compiler import compile_graph
from hwgen.serialise import save_graph
from sim.board import simulated_board
from sim.simulate import simulate
from tests.hwgen.random_graphs import random_input, random_layer_graph
from tests.sim.accelerators import ACCELERATORS

CONFIG = ACCELERATORS["narrow"]
TIMEOUT = 60.0
"""Seconds: the simulation may have to share the machine."""


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    with simulated_board(BoardConfig(CONFIG)) as path:
        yield path


@pytest.mark.parametrize("seed", [2, 3])
def test_outputs_and_counters_are_those_of_the_simulation(port: str, seed: int) -> None:
    """One after another on the same board: nothing of an earlier program is left."""
    rng = np.random.default_rng(seed)
    graph = random_layer_graph(rng, max_elements=1024)
    inputs = random_input(rng, graph, images=2)
    program = compile_graph(graph, CONFIG)
    with open_link(port, BoardConfig.baud, TIMEOUT) as link:
        execution = run_program(link, program, inputs)
    simulated = simulate(program, inputs, BLOCK_MEMORY)
    np.testing.assert_array_equal(execution.outputs, reference.run(graph, inputs))
    assert execution.sample_counters == simulated.sample_counters


def test_ds_cnn_is_bit_exact_with_the_simulation_s_counters(port: str, data_dir: Path) -> None:
    graph = load_network(str(data_dir / "models" / "kws_ref_model.tflite"), "cifar10")
    inputs = random_inputs(graph, samples=1, seed=0)
    board_run = run_on_board(graph, CONFIG, inputs, port, BoardConfig.baud, TIMEOUT)
    values = board_values(board_run)
    assert values["bit_exact"]
    assert values["counters"] == simulate(compile_graph(graph, CONFIG), inputs, BLOCK_MEMORY).counters
    assert values["predicted_cycles"] == values["cycles"]


def test_the_command_prints_the_comparison(port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = random_layer_graph(np.random.default_rng(1), max_elements=256)
    network, accelerator = tmp_path / "network.npz", tmp_path / "narrow.toml"
    save_graph(graph, network)
    accelerator.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in config_values(CONFIG).items()))
    arguments = ["run", network, "--accelerator", accelerator, "--port", port, "--timeout", TIMEOUT]
    app([str(argument) for argument in (*arguments, "--json")], standalone_mode=False)
    values = json.loads(capsys.readouterr().out)
    assert values["bit_exact"] and values["samples"] == 1
    app([str(argument) for argument in arguments], standalone_mode=False)
    assert "1 sample(s), bit-exact with the reference" in capsys.readouterr().out
