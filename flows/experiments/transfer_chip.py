"""Pairs whose resources are expected of the RTL, and pairs whose accelerators were implemented."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import nan

import numpy as np

from flows.characterisation.models import expected_resources
from flows.characterisation.plan import Point, plan
from flows.characterisation.rows import Row
from flows.experiments.cost_log import CostLog
from flows.experiments.transfer import CostedPairs
from flows.pairs.cost_model import PairModel
from flows.pairs.evaluation import ENERGY_TABLE, Pair
from hwgen.memory_model import DEFAULT_MEMORY
from nas.predictor.features import pair_features
from nas.spaces import Space

METRICS = ("cycles", "energy", "LUTs", "flip-flops", "Fmax")
SEED = 1
"""Of the plan whose points are not implemented, and of the networks on them."""

Found = tuple[Point, float, float, float]
"""A point, its LUTs, its flip-flops, and its Fmax in MHz, NaN where that is not known."""


def expected_pairs(networks: Space, model: PairModel, costs: CostLog, count: int) -> CostedPairs:
    """``count`` random networks on accelerators of the plan, whose resources are expected ones."""
    points = ((point, expected_resources(point)) for point in islice(plan(SEED), count))
    return _with_networks([(point, found.lut, found.ff, nan) for point, found in points], networks, model, costs)


def implemented_pairs(networks: Space, model: PairModel, costs: CostLog, rows: Sequence[Row]) -> CostedPairs:
    """Random networks on the accelerators of ``rows``."""
    found = [(row.point, row.total("lut"), row.total("ff"), row.routed.fmax_mhz if row.routed else nan) for row in rows]
    return _with_networks(found, networks, model, costs)


def _with_networks(found: Sequence[Found], networks: Space, model: PairModel, costs: CostLog) -> CostedPairs:
    """One random network on each; what does not run has no cycles and no energy, but resources."""
    rng = np.random.default_rng(SEED)
    features, values = [], []
    for point, *implemented in found:
        pair = Pair(networks.random(rng), point.config)
        cost = costs.cost(pair)
        features.append(pair_features(model.graph(pair.architecture), pair.accelerator, DEFAULT_MEMORY, ENERGY_TABLE))
        values.append((nan, nan, *implemented) if cost is None else (cost.cycles, cost.energy_uj, *implemented))
    return CostedPairs(np.array(features), np.array(values, float))
