"""How the search evaluates a pair: accuracy from an oracle, its cost from a model and from RTL simulation."""

from __future__ import annotations

import numpy as np

from flows.evaluation import ENERGY_TABLE, Cost, Pair
from flows.pair_model import PairModel
from hwgen.compiler import CompileError, compile_graph
from hwgen.energy import energy_uj
from nas.accuracy import Accuracy
from nas.oracles import AccuracyOracle
from nas.spaces import Space
from sim.simulate import simulate


class RtlEvaluator:
    """Costs do not depend on weights, so networks are measured with random ones."""

    def __init__(self, space: Space, oracle: AccuracyOracle) -> None:
        self._oracle = oracle
        self._model = PairModel(space)

    def accuracy(self, architecture: str) -> Accuracy:
        """The oracle's answer."""
        return self._oracle.accuracy(architecture)

    def modelled_cost(self, pair: Pair) -> Cost | None:
        """The model's, composed of layers; None where the network does not compile for the accelerator."""
        return self._model.cost(pair)

    def measured_cost(self, pair: Pair) -> Cost | None:
        """That of one inference in RTL simulation; None where the network does not compile for the accelerator."""
        graph = self._model.graph(pair.architecture)
        try:
            program = compile_graph(graph, pair.accelerator)
        except CompileError:
            return None
        measurement = simulate(program, np.zeros((1, *graph.input.output.shape), np.int8))
        return Cost(measurement.cycles, energy_uj(measurement.counters, pair.accelerator, ENERGY_TABLE))
