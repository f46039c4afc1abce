"""How the search evaluates a pair: accuracy from an oracle, cycles from a model and from RTL simulation."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from flows.evaluation import Pair
from hwgen.compiler import CompileError, compile_graph
from hwgen.cost_table import CostTable
from hwgen.graph import LayerGraph
from nas.accuracy import Accuracy
from nas.oracles import AccuracyOracle
from nas.quantise import structure
from nas.spaces import Space
from sim.simulate import simulate


class RtlEvaluator:
    """Cycles do not depend on weights, so networks are measured with random ones."""

    def __init__(self, space: Space, oracle: AccuracyOracle) -> None:
        self._oracle = oracle
        self._table = CostTable()
        self._graph: Callable[[str], LayerGraph] = lru_cache(maxsize=4096)(lambda name: structure(space, name))

    def accuracy(self, architecture: str) -> Accuracy:
        """The oracle's answer."""
        return self._oracle.accuracy(architecture)

    def modelled_cycles(self, pair: Pair) -> int | None:
        """The cycle model's, composed of layers; None where the network does not compile for the accelerator."""
        (cycles,) = self._table.costs(self._graph(pair.architecture), [pair.accelerator]).cycles
        return None if np.isinf(cycles) else int(cycles)

    def measured_cycles(self, pair: Pair) -> int | None:
        """Cycles of one inference in RTL simulation; None where the network does not compile for the accelerator."""
        graph = self._graph(pair.architecture)
        try:
            program = compile_graph(graph, pair.accelerator)
        except CompileError:
            return None
        return simulate(program, np.zeros((1, *graph.input.output.shape), np.int8)).cycles
