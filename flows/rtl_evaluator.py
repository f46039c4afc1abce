"""How the search evaluates a pair: accuracy from an oracle, its cost from a model and from RTL simulation."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from flows.evaluation import ENERGY_TABLE, Cost, Pair
from hwgen.compiler import CompileError, compile_graph
from hwgen.cost_table import CostTable
from hwgen.energy import energy_uj
from hwgen.graph import LayerGraph
from nas.accuracy import Accuracy
from nas.oracles import AccuracyOracle
from nas.quantise import structure
from nas.spaces import Space
from sim.simulate import simulate


class RtlEvaluator:
    """Costs do not depend on weights, so networks are measured with random ones."""

    def __init__(self, space: Space, oracle: AccuracyOracle) -> None:
        self._oracle = oracle
        self._table = CostTable()
        self._graph: Callable[[str], LayerGraph] = lru_cache(maxsize=4096)(lambda name: structure(space, name))

    def accuracy(self, architecture: str) -> Accuracy:
        """The oracle's answer."""
        return self._oracle.accuracy(architecture)

    def modelled_cost(self, pair: Pair) -> Cost | None:
        """The model's, composed of layers; None where the network does not compile for the accelerator."""
        costs = self._table.costs(self._graph(pair.architecture), [pair.accelerator])
        (cycles,), (energy,) = costs.cycles.tolist(), costs.energy_uj(ENERGY_TABLE).tolist()
        return None if np.isinf(cycles) else Cost(int(cycles), energy)

    def measured_cost(self, pair: Pair) -> Cost | None:
        """That of one inference in RTL simulation; None where the network does not compile for the accelerator."""
        graph = self._graph(pair.architecture)
        try:
            program = compile_graph(graph, pair.accelerator)
        except CompileError:
            return None
        measurement = simulate(program, np.zeros((1, *graph.input.output.shape), np.int8))
        return Cost(measurement.cycles, energy_uj(measurement.counters, pair.accelerator, ENERGY_TABLE))
