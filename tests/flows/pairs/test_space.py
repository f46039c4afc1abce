"""Which genes stand for the same pair."""

from __future__ import annotations

import numpy as np

from flows.experiments.accelerators import ACCELERATORS
from flows.pairs.space import PairSpace
from nas.spaces import space


def test_canonical_genes_are_one_for_each_pair() -> None:
    pairs = PairSpace(space("nasbench201", "cifar10"), ACCELERATORS)
    rng = np.random.default_rng(0)
    named = {}
    for network in rng.integers(5, size=(2000, 6)).tolist():
        genes = (*network, *[0] * len(ACCELERATORS.gene_sizes))
        canonical = pairs.canonical(genes)
        if canonical is None:
            assert pairs.pair(genes) is None
        else:
            assert pairs.pair(canonical) == pairs.pair(genes)
            assert named.setdefault(pairs.pair(genes), canonical) == canonical
    assert 100 < len(named) < 1900
