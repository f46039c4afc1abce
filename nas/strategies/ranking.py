"""Which outcomes are fitter: NSGA-II's order (Deb et al., 2002; ranking and crowding are pymoo's)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymoo.core.population import Population
from pymoo.core.problem import Problem as PymooProblem
from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

from nas.strategies.base import Genes, Outcome, Problem, gene_rows, genes_of

WORST = 1e12
"""Objective and violation of what was not evaluated; infinity would not rank."""

Fitness = tuple[float, ...]
"""Less is fitter: by violation, then by rank of domination, then by crowding."""


def fittest(
    problem: Problem, outcomes: Sequence[Outcome], count: int, rng: np.random.Generator
) -> list[tuple[Genes, Fitness]]:
    """At most ``count`` of ``outcomes``, which are one at least and of one fidelity. ``rng`` settles ties."""
    pool = Population.new(
        "X", gene_rows(outcomes),
        "F", np.array([outcome.objectives or (WORST,) * problem.objectives for outcome in outcomes]),
        "G", np.array([[min(outcome.violation, WORST)] for outcome in outcomes]),
    )  # fmt: skip
    shape = PymooProblem(n_var=len(problem.gene_sizes), n_obj=problem.objectives, n_ieq_constr=1)
    survivors = RankAndCrowding().do(shape, pool, n_survive=min(count, len(pool)), random_state=rng)
    return [
        (
            genes_of(individual.get("X")),
            (violation, 0, 0) if violation > 0 else (0, individual.get("rank"), -individual.get("crowding")),
        )
        for individual, violation in zip(survivors, survivors.get("CV")[:, 0].tolist(), strict=True)
    ]
