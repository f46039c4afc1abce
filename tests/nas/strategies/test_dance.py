"""What is DANCE's own: gradients through hard choices, and an evaluator that ranks pairs that it never saw."""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import kendalltau

from nas.strategies.base import Problem
from nas.strategies.dance import Dance
from nas.strategies.relaxation import Relaxation
from tests.nas.strategies.test_conformance import PROBLEM, evaluate, run

SMALL = Problem((3, 4), (False, True), objectives=2, budget=10, population=4)


def test_drawn_distributions_are_certain_and_gradients_pass_them() -> None:
    relaxation = Relaxation(SMALL, range(2))
    logits = torch.zeros((50, relaxation.values), requires_grad=True)
    drawn = relaxation.draw(logits, 1.0, torch.Generator().manual_seed(0))
    genes = relaxation.harden(drawn)
    assert torch.allclose(drawn, relaxation.certain(genes), atol=1e-6)
    assert set(genes[:, 0]) == {0, 1, 2}
    relaxation.features(drawn)[:, -1].sum().backward()
    assert logits.grad is not None
    assert (logits.grad[:, 3:].abs().sum(dim=1) > 0).all()
    assert (logits.grad[:, :3] == 0).all()


def test_the_place_of_an_ordered_gene_is_between_its_ends() -> None:
    features = Relaxation(SMALL, range(2)).features(Relaxation(SMALL, range(2)).certain(np.array([[1, 0], [2, 3]])))
    assert features.tolist() == [[0, 1, 0, -1], [0, 0, 1, 1]]


def test_the_evaluator_ranks_what_it_never_saw() -> None:
    searcher = Dance(PROBLEM, seed=0)
    run(searcher, evaluate)
    genes = np.random.default_rng(1).integers(PROBLEM.gene_sizes, size=(200, len(PROBLEM.gene_sizes)))
    genes = genes[genes[:, 0] > 0]
    truth = np.array([evaluate(tuple(row)).objectives for row in genes.tolist()])
    estimated = searcher.estimate(genes)
    for objective in range(PROBLEM.objectives):
        assert kendalltau(estimated[:, objective], truth[:, objective]).statistic > 0.5
