"""What is learnt of costs beforehand: it ranks networks never seen, passes gradients, and a search starts from it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau

from nas.strategies import cost_network
from nas.strategies.cost_network import CostNetwork
from nas.strategies.dance import BATCH, FIRST, Dance
from tests.nas.strategies.test_conformance import PROBLEM, evaluate, run

NETWORKS = PROBLEM.network_genes
WORK = np.random.default_rng(7).uniform(1, 30, size=(NETWORKS, 5))


def costs_of(genes: np.ndarray) -> np.ndarray:
    """float64 [n, 1]: a logarithm of work over width, and of what grows with the depth."""
    work = np.stack([WORK[gene, genes[:, gene]] for gene in range(NETWORKS)], axis=1)
    width, depth = genes[:, -2], genes[:, -1]
    return np.log(work.sum(axis=1) / (1 + width) + 5 * (1 + depth))[:, None]


@cache
def learnt() -> CostNetwork:
    genes = np.random.default_rng(0).integers(PROBLEM.gene_sizes, size=(2000, len(PROBLEM.gene_sizes)))
    genes = genes[genes[:, 0] > 0]
    network = CostNetwork(PROBLEM, lambda choices: choices, metrics=1)
    network.learn(genes, costs_of(genes), seed=0)
    return network


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> CostNetwork:
    monkeypatch.setattr(cost_network, "STEPS", 600)
    return learnt()


def test_networks_that_it_never_saw_are_ranked(network: CostNetwork) -> None:
    genes = np.random.default_rng(1).integers(PROBLEM.gene_sizes, size=(500, len(PROBLEM.gene_sizes)))
    genes[:, 0] = np.maximum(genes[:, 0], 1)
    assert kendalltau(network.estimate(genes)[:, 0], costs_of(genes)[:, 0]).statistic > 0.9


def test_it_is_frozen_and_gradients_reach_network_and_accelerator(network: CostNetwork) -> None:
    choices = torch.full((1, sum(PROBLEM.gene_sizes[:NETWORKS])), 0.2, requires_grad=True)
    accelerator = torch.full((1, sum(PROBLEM.gene_sizes[NETWORKS:])), 0.2, requires_grad=True)
    network(choices, accelerator).sum().backward()
    assert not any(parameter.requires_grad for parameter in network.parameters())
    for distribution in (choices, accelerator):
        assert distribution.grad is not None
        assert distribution.grad.abs().sum() > 0


def test_the_seed_settles_what_it_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_network, "STEPS", 5)
    genes = np.random.default_rng(0).integers(PROBLEM.gene_sizes, size=(50, len(PROBLEM.gene_sizes)))
    first, again, other = (CostNetwork(PROBLEM, lambda choices: choices, metrics=1) for _ in range(3))
    for found, seed in ((first, 0), (again, 0), (other, 1)):
        found.learn(genes, costs_of(genes), seed)
    assert np.array_equal(first.estimate(genes), again.estimate(genes))
    assert not np.array_equal(first.estimate(genes), other.estimate(genes))


def test_what_is_known_beforehand_is_not_learnt_from_outcomes(network: CostNetwork) -> None:
    searcher = Dance(replace(PROBLEM, costs=network, costed=(1,)), seed=0)
    outcomes = run(searcher, evaluate, budget=FIRST + 2 * BATCH)
    assert len({outcome.genes for outcome in outcomes}) == FIRST + 2 * BATCH
    genes = np.random.default_rng(1).integers(1, PROBLEM.gene_sizes, size=(50, len(PROBLEM.gene_sizes)))
    assert searcher.estimate(genes)[:, 1] == pytest.approx(network.estimate(genes)[:, 0], rel=1e-3)


def test_networks_that_execute_nothing_are_not_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_network, "STEPS", 100)
    network = CostNetwork(PROBLEM, lambda choices: choices * (1 - choices[:, :1]), metrics=1)
    genes = np.random.default_rng(0).integers(PROBLEM.gene_sizes, size=(500, len(PROBLEM.gene_sizes)))
    genes = genes[genes[:, 0] > 0]
    network.learn(genes, costs_of(genes), seed=0)
    for seed in range(3):
        outcomes = run(Dance(replace(PROBLEM, costs=network, costed=(1,)), seed), evaluate, budget=FIRST + 4 * BATCH)
        assert all(outcome.genes[0] for outcome in outcomes[FIRST:])
