"""Children of promising genotypes: what evolution on a model tries."""

from __future__ import annotations

import numpy as np

from nas.strategies.base import Problem

MOST_MUTATIONS = 3
"""Of a child, 1 to so many genes change on average."""


def children(problem: Problem, parents: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """int [count, genes]: of one or two of ``parents`` [n, genes]; some genes change, of sizes half by a step.

    ``rng`` is drawn from.
    """
    sizes, ordered = np.array(problem.gene_sizes), np.array(problem.ordered)
    shape = count, len(sizes)
    pairs = parents[rng.integers(len(parents), size=(2, count))]
    genes = np.where(rng.random(shape) < rng.choice([0.0, 0.5], size=(count, 1)), pairs[0], pairs[1])
    steps = np.clip(genes + rng.choice([-1, 1], size=shape), 0, sizes - 1)
    stepping = ordered & (rng.random(shape) < 0.5)
    changed = np.where(stepping, steps, rng.integers(sizes, size=shape))
    rates = rng.integers(1, MOST_MUTATIONS + 1, size=(count, 1)) / shape[1]
    return np.where(rng.random(shape) < rates, changed, genes)
