"""DANCE's experiment: what its evaluator learns from, and what its page says of it."""

from __future__ import annotations

import numpy as np
import pytest

from flows.experiments.accelerators import ACCELERATORS
from flows.experiments.dance import METRICS, costed_pairs, dance_page, dance_png, dance_values
from flows.experiments.pair_table import PairTable
from flows.experiments.strategies import Trajectory
from flows.pairs.space import PairSpace
from hwgen.area import lut_equivalents
from nas.spaces import space as find_space
from nas.strategies import StrategyName

NETWORKS = find_space("nasbench201", "cifar10")
SPACE = PairSpace(NETWORKS, ACCELERATORS)


def test_pairs_are_the_tables_by_their_genes_without_those_that_cannot_run() -> None:
    accelerators = tuple(SPACE.accelerators.decode((0, 1, gene, 0, 2, 1, 0, 0)) for gene in range(3))
    names = tuple(NETWORKS.random(np.random.default_rng(seed)) for seed in range(3))
    cycles = 1000.0 + np.arange(9).reshape(3, 3)
    cycles[1, 2] = np.inf
    table = PairTable(names, accelerators, cycles, 2 * cycles, 0.0)
    pairs = costed_pairs(SPACE, NETWORKS, table, slice(1, 3))
    assert len(pairs.genes) == len(pairs.logarithms) == 5
    for genes, (time, area, energy) in zip(pairs.genes.tolist(), np.exp(pairs.logarithms), strict=True):
        pair = SPACE.pair(tuple(genes))
        assert pair is not None
        modelled = cycles[accelerators.index(pair.accelerator), names.index(pair.architecture)]
        assert (time, area, energy) == pytest.approx((modelled, lut_equivalents(pair.accelerator), 2 * modelled))


def trajectory(name: StrategyName, seed: int, budget: int, best: float) -> Trajectory:
    points = np.linspace([1.0, 1.0, 1.0], [best, best, best], budget)
    return Trajectory(name, seed, (None,) * budget, points, np.arange(budget) / 10)


def test_the_page_says_when_dance_has_what_rl_has() -> None:
    runs = [trajectory(StrategyName.DANCE, seed, 6, 0.0) for seed in range(2)]
    runs += [trajectory(StrategyName.RL, seed, 20, 0.4) for seed in range(2)]
    evaluator = {
        "networks": 3,
        "accelerators": 2,
        "pairs": 6,
        "costing_cpu_seconds": 1.0,
        "training_cpu_seconds": 2.0,
        "held_out_networks": 1,
        "held_out_pairs": 2,
        "taus": dict.fromkeys(METRICS, 0.9625),
    }
    values = dance_values("toy", evaluator, runs)
    page = dance_page(values, "dance.png")
    assert "| 0.963 | 0.963 | 0.963 |" in page or "| 0.962 | 0.962 | 0.962 |" in page
    (row,) = (line for line in page.splitlines() if line.startswith("| 20 |"))
    assert row.endswith("| 4 | 20% |")
    assert dance_png(values).startswith(b"\x89PNG")
