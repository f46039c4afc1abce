"""A pair's modelled cost: the network of an architecture under the cost model of a memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from flows.pairs.evaluation import ENERGY_TABLE, Cost, Pair
from hwgen.cost_table import CLOSE, CostTable, Neighbours
from hwgen.graph import LayerGraph
from hwgen.memory_model import DEFAULT_MEMORY, MemoryModel
from nas.outline import outline
from nas.spaces import Space


class PairModel:
    """Costs do not depend on weights, so networks have none; ``neighbours`` are those of a layer's window."""

    def __init__(self, space: Space, memory: MemoryModel = DEFAULT_MEMORY, neighbours: Neighbours = CLOSE) -> None:
        self._table = CostTable(memory, neighbours)
        self.graph: Callable[[str], LayerGraph] = lru_cache(maxsize=8192)(lambda name: outline(space, name))
        """The int8 network of an architecture, its values zero."""

    def cost(self, pair: Pair) -> Cost | None:
        """Composed of the layers' costs; None where the network does not compile for the accelerator."""
        costs = self._table.costs(self.graph(pair.architecture), [pair.accelerator])
        (cycles,), (energy,) = costs.cycles.tolist(), costs.energy_uj(ENERGY_TABLE).tolist()
        return None if np.isinf(cycles) else Cost(int(cycles), energy)
