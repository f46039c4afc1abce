"""Predicted against measured cycles of random layers on random accelerators, dataflow by dataflow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau

from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.cycles import predict
from hwgen.memory_model import DEFAULT_MEMORY
from sim.simulate import simulate
from tests.hwgen.random_configs import random_config
from tests.hwgen.random_graphs import random_layer_graph

ACCELERATORS = 6
"""Of each dataflow."""
LAYERS = 30
"""On each accelerator: more than 500 pairs in all."""
MULTIPLIERS = 256
"""At most, so that builds take seconds."""


def accelerators(dataflow: Dataflow) -> list[AcceleratorConfig]:
    """Random ones."""
    rng = np.random.default_rng(0)
    found: list[AcceleratorConfig] = []
    while len(found) < ACCELERATORS:
        config = random_config(rng)
        if config.multipliers <= MULTIPLIERS:
            found.append(replace(config, dataflow=dataflow))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("dataflow", Dataflow)
def test_predicted_cycles_of_random_pairs_are_measured_ones(dataflow: Dataflow) -> None:
    """Kendall's tau is of the pairs' order by cycles."""
    measured, predicted, layer_errors = [], [], []
    for number, config in enumerate(accelerators(dataflow)):
        for seed in range(LAYERS):
            graph = random_layer_graph(np.random.default_rng([number, seed]), max_elements=4096, layers=1)
            program = compile_graph(graph, config)
            measurement = simulate(program, np.zeros((1, *program.input.shape), np.int8), DEFAULT_MEMORY)
            prediction = predict(program, DEFAULT_MEMORY)
            measured.append(measurement.cycles)
            predicted.append(prediction.cycles)
            layers = zip(measurement.layer_cycles, prediction.layer_cycles, strict=True)
            layer_errors += [abs(cycles - rtl) / max(1, rtl) for (_, rtl), (_, cycles) in layers]
    errors = np.abs(np.array(predicted) / np.array(measured) - 1)
    tau = kendalltau(measured, predicted).statistic
    print(
        f"{dataflow}: {len(errors)} pairs, {np.mean(errors == 0):.1%} exact, mean error {errors.mean():.3%}, "
        f"largest {errors.max():.2%}, of a layer {max(layer_errors):.2%}, Kendall's tau {tau:.4f}"
    )
    assert tau >= 0.995
    assert errors.max() <= 0.01
    assert max(layer_errors) <= 0.03
