"""A search's pairs cost the same on a board as in simulation; accelerators are loaded when they change."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import flows.board.oracle
from flows.board.link import BoardLinkError
from flows.board.oracle import BoardOracle, measure_on_simulated_board
from flows.pairs.evaluation import Pair
from flows.pairs.rtl_evaluator import RtlEvaluator
from flows.search.settings import Hardware, Settings
from hwgen.board.block_memory import BLOCK_MEMORY
from hwgen.compiler import compile_graph
from hwgen.config import load_config
from hwgen.errors import InputError
from hwgen.placement import PlacementError
from hwgen.program import Program
from nas.spaces import space
from sim.execution import Execution
from sim.simulate import simulate
from tests.hwgen.random_graphs import random_layer_graph
from tests.sim.accelerators import ACCELERATORS

CONFIG = ACCELERATORS["narrow"]
PAIR = Pair("|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|", CONFIG)
NETWORKS = space("nasbench201", "digits")
NO_ACCURACIES = SimpleNamespace()


def test_a_pair_costs_the_same_on_a_board_as_in_simulation() -> None:
    in_simulation = RtlEvaluator(NETWORKS, NO_ACCURACIES, partial(simulate, memory=BLOCK_MEMORY))
    on_a_board = RtlEvaluator(NETWORKS, NO_ACCURACIES, measure_on_simulated_board)
    cost = on_a_board.measured_cost(PAIR)
    assert cost is not None
    assert cost == in_simulation.measured_cost(PAIR)


def test_a_pair_that_the_board_has_no_memory_for_has_no_cost() -> None:
    def measure(program: Program, inputs: np.ndarray) -> Execution:
        raise PlacementError("network: it needs more")

    assert RtlEvaluator(NETWORKS, NO_ACCURACIES, measure).measured_cost(PAIR) is None


class Loader:
    """A command that writes what it was given into ``log``, and the board's end of a link that says nothing."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.log = directory / "load", directory / "log.toml"
        self.path.write_text(f'#!/bin/sh\ncat "$1" > {self.log}\nexit $(cat {directory}/status)\n')
        self.path.chmod(0o755)
        self.ends_with(0)
        monkeypatch.setattr(flows.board.oracle, "run_program", lambda *_: "execution")
        monkeypatch.setattr(flows.board.oracle, "open_link", lambda *_: self)

    def ends_with(self, status: int) -> None:
        (self.path.parent / "status").write_text(str(status))

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    return Loader(tmp_path, monkeypatch)


def program() -> Program:
    return compile_graph(random_layer_graph(np.random.default_rng(2), max_elements=256), CONFIG)


def test_the_loader_runs_when_the_accelerator_changes(loader: Loader) -> None:
    first = program()
    second = replace(first, config=ACCELERATORS["uneven"])
    oracle = BoardOracle("/dev/null", str(loader.path))
    inputs = np.zeros((1, *first.input.shape), np.int8)
    assert oracle(first, inputs) == "execution"
    assert load_config(str(loader.log)) == first.config
    loader.log.unlink()
    oracle(first, inputs)
    assert not loader.log.exists()
    oracle(second, inputs)
    assert load_config(str(loader.log)) == second.config


def test_a_loader_that_fails_is_named_and_asked_again(loader: Loader) -> None:
    loader.ends_with(3)
    oracle = BoardOracle("/dev/null", str(loader.path))
    for _ in range(2):
        with pytest.raises(BoardLinkError, match="load ended with status 3"):
            oracle(program(), np.zeros(0, np.int8))
    with pytest.raises(BoardLinkError, match="nothing-here cannot be run"):
        BoardOracle("/dev/null", "nothing-here")(program(), np.zeros(0, np.int8))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"port": "/dev/ttyUSB0", "loader": "load"}, "port: only a board has one; accepted: --hardware board"),
        ({"hardware": Hardware.BOARD, "port": "/dev/ttyUSB0"}, "loader: .*; accepted: --port and --loader, or neither"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(values: dict[str, str | Hardware], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Settings(**values)
