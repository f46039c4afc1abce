"""Networks without values cost what networks with values do."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.config import PRESETS
from hwgen.cost_table import CostTable
from nas.outline import outline
from nas.quantise import structure
from nas.spaces import space


@pytest.mark.parametrize("name", ["nasbench201", "macro", "mbconv"])
def test_an_outline_costs_what_the_structure_does(name: str) -> None:
    networks = space(name, "digits")
    architecture = networks.random(np.random.default_rng(0))
    table, accelerators = CostTable(), list(PRESETS.values())
    costs, expected = (table.costs(build(networks, architecture), accelerators) for build in (outline, structure))
    assert costs.cycles.tolist() == expected.cycles.tolist()
    assert costs.actions.tolist() == expected.actions.tolist()


def test_an_outline_has_the_structures_layers_and_work() -> None:
    networks = space("macro", "digits")
    graph, expected = (build(networks, networks.covering()[-1]) for build in (outline, structure))
    assert [(layer.name, layer.op, layer.output.shape) for layer in graph.layers()] == [
        (layer.name, layer.op, layer.output.shape) for layer in expected.layers()
    ]
    assert graph.total_macs == expected.total_macs
