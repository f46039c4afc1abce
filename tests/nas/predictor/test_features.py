"""A pair's features are near what the models say of it, and follow its parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.cost_table import CostTable
from hwgen.energy import EYERISS_65NM
from hwgen.graph import LayerGraph
from hwgen.memory_model import DEFAULT_MEMORY, MemoryModel
from nas.predictor.features import FEATURES, pair_features
from nas.quantise import structure
from nas.spaces import space

SMALL = AcceleratorConfig(rows=4, cols=4, act_buffer_kib=8, weight_buffer_kib=8, requant_lanes=2)


@pytest.fixture(scope="module", params=["macro:02012100", "mbconv"])
def graph(request: pytest.FixtureRequest) -> LayerGraph:
    name, _, architecture = request.param.partition(":")
    networks = space(name, "digits")
    return structure(networks, architecture or networks.random(np.random.default_rng(0)))


def features(graph: LayerGraph, config: AcceleratorConfig, memory: MemoryModel = DEFAULT_MEMORY) -> dict[str, float]:
    values = pair_features(graph, config, memory, EYERISS_65NM)
    assert values.shape == (len(FEATURES),)
    assert np.isfinite(values).all()
    return dict(zip(FEATURES, values.tolist(), strict=True))


@pytest.mark.parametrize("dataflow", Dataflow)
def test_bounds_are_near_the_modelled_cost(graph: LayerGraph, dataflow: Dataflow) -> None:
    config = replace(SMALL, dataflow=dataflow)
    costs = CostTable().costs(graph, [config])
    found = features(graph, config)
    assert abs(found["bound"] - np.log(costs.cycles[0])) < np.log(2)
    assert abs(found["energy"] - np.log(1e6 * costs.energy_uj(EYERISS_65NM)[0])) < np.log(2)


def test_a_slower_memory_costs_transfers_and_nothing_else(graph: LayerGraph) -> None:
    fast, slow = (features(graph, SMALL, MemoryModel(cycles_per_beat=beat)) for beat in (1, 4))
    assert slow["reads"] > fast["reads"]
    assert slow["bound"] > fast["bound"]
    assert {name for name in FEATURES if slow[name] == fast[name]} >= {"array", "drain", "energy", "dram_read_beats"}


def test_a_larger_buffer_keeps_more_tensors_on_chip(graph: LayerGraph) -> None:
    small, large = (features(graph, replace(SMALL, act_buffer_kib=size)) for size in (4, 1024))
    assert small["spilled"] > large["spilled"] > 0
    assert small["energy"] > large["energy"]
