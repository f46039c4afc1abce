"""Which pairs are on the Pareto front, and which of them is the one to build."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from flows.pairs.constraints import Constraint
from flows.pairs.evaluation import Evaluation
from flows.pairs.objectives import Objectives

SETTLES = {"latency_ms": "cycles"}
"""What a bound on a metric bounds, too."""


def pareto_front(evaluations: Iterable[Evaluation], objectives: Objectives) -> list[Evaluation]:
    """The evaluations that no other one dominates, best in the first objective beside accuracy first.

    One of those with equal objectives.
    """
    by_vector = {objectives.vector(evaluation): evaluation for evaluation in evaluations}
    vectors = np.array(list(by_vector)).reshape(-1, len(objectives.names))
    front = [
        evaluation
        for vector, evaluation in zip(vectors, by_vector.values(), strict=True)
        if not np.any(np.all(vectors <= vector, axis=1) & np.any(vectors < vector, axis=1))
    ]
    return sorted(front, key=lambda evaluation: objectives.vector(evaluation)[1])


def satisfies(evaluation: Evaluation, constraints: Sequence[Constraint], clock_mhz: float) -> bool:
    """Whether ``evaluation`` can run and meets every constraint."""
    if evaluation.cycles is None:
        return False
    metrics = evaluation.metrics(clock_mhz)
    return all(constraint.violation(metrics) <= 0 for constraint in constraints)


def best_pair(
    front: Sequence[Evaluation], constraints: Sequence[Constraint], objectives: Objectives
) -> Evaluation | None:
    """The pair to build: the best in the objectives that no constraint settles, in their order, then in the others.

    So a bound on latency asks for the most accurate pair within it, and a bound on accuracy for the fastest. None where
    no pair of the front meets the constraints.
    """
    settled = {SETTLES.get(constraint.metric, constraint.metric) for constraint in constraints}
    names = [SETTLES.get(name, name) for name in objectives.names]
    order = sorted(range(len(names)), key=lambda index: names[index] in settled)
    feasible = [evaluation for evaluation in front if satisfies(evaluation, constraints, objectives.clock_mhz)]

    def preference(evaluation: Evaluation) -> tuple[float, ...]:
        vector = objectives.vector(evaluation)
        return tuple(vector[index] for index in order)

    return min(feasible, key=preference, default=None)
