"""A pair's modelled cost: the network of an architecture under the cost model of a memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from flows.evaluation import ENERGY_TABLE, Cost, Pair
from hwgen.cost_table import CostTable
from hwgen.graph import LayerGraph
from hwgen.memory_model import DEFAULT_MEMORY, MemoryModel
from nas.quantise import structure
from nas.spaces import Space


class PairModel:
    """Costs do not depend on weights, so networks have random ones."""

    def __init__(self, space: Space, memory: MemoryModel = DEFAULT_MEMORY) -> None:
        self._table = CostTable(memory)
        self.graph: Callable[[str], LayerGraph] = lru_cache(maxsize=4096)(lambda name: structure(space, name))
        """The int8 network of an architecture."""

    def cost(self, pair: Pair) -> Cost | None:
        """Composed of the layers' costs; None where the network does not compile for the accelerator."""
        costs = self._table.costs(self.graph(pair.architecture), [pair.accelerator])
        (cycles,), (energy,) = costs.cycles.tolist(), costs.energy_uj(ENERGY_TABLE).tolist()
        return None if np.isinf(cycles) else Cost(int(cycles), energy)
