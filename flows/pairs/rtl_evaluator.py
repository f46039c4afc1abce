"""How the search evaluates a pair: accuracy from an oracle, its cost from a model and from RTL, on a board or not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flows.pairs.cost_model import PairModel
from flows.pairs.evaluation import ENERGY_TABLE, Cost, Pair
from hwgen.compiler import CompileError, compile_graph
from hwgen.cost_table import CLOSE, Neighbours
from hwgen.energy import energy_uj
from hwgen.placement import PlacementError
from hwgen.program import Program
from nas.accuracy import Accuracy
from nas.oracles import AccuracyOracle
from nas.quantise import structure
from nas.spaces import Space
from sim.execution import Execution
from sim.simulate import simulate

Measure = Callable[[Program, np.ndarray], Execution]
"""Runs a Program on inputs, int8 [N, height, width, channels]."""


class RtlEvaluator:
    """Costs do not depend on weights, so networks are measured with random ones.

    ``measure`` runs a Program: simulation of the accelerator, or a board; ``neighbours`` are those of the model.
    """

    def __init__(
        self, space: Space, oracle: AccuracyOracle, measure: Measure = simulate, neighbours: Neighbours = CLOSE
    ) -> None:
        self._space = space
        self._oracle = oracle
        self._measure = measure
        self._model = PairModel(space, neighbours=neighbours)

    def accuracy(self, architecture: str) -> Accuracy:
        """The oracle's answer."""
        return self._oracle.accuracy(architecture)

    def macs(self, architecture: str) -> int:
        """Of the network's layers, padding counted."""
        return self._model.graph(architecture).total_macs

    def modelled_cost(self, pair: Pair) -> Cost | None:
        """The model's, composed of layers; None where the network does not compile for the accelerator."""
        return self._model.cost(pair)

    def measured_cost(self, pair: Pair) -> Cost | None:
        """That of one inference, measured; None where the network does not fit the accelerator or its memory."""
        graph = structure(self._space, pair.architecture)
        try:
            program = compile_graph(graph, pair.accelerator)
            execution = self._measure(program, np.zeros((1, *graph.input.output.shape), np.int8))
        except (CompileError, PlacementError):
            return None
        return Cost(execution.cycles, energy_uj(execution.counters, pair.accelerator, ENERGY_TABLE))
