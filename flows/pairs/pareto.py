"""Which pairs are on the Pareto front, and which of them is the one to build."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log

import numpy as np

from flows.pairs.constraints import Constraint
from flows.pairs.evaluation import Evaluation

OBJECTIVES = {"accuracy": -1, "cycles": 1, "lut_equivalents": 1}
"""Minimised where 1, maximised where -1."""


def objective_vector(evaluation: Evaluation, clock_mhz: float) -> tuple[float, ...]:
    """The objectives of ``evaluation``, each to be minimised."""
    metrics = evaluation.metrics(clock_mhz)
    return tuple(sign * metrics[name] for name, sign in OBJECTIVES.items())


def proportional_objectives(evaluation: Evaluation, clock_mhz: float) -> tuple[float, ...]:
    """The objectives of an ``evaluation`` that can run, costs as logarithms: what strategies compare by differences.

    Twice the cycles are as much worse at one end of the front as at the other.
    """
    metrics = evaluation.metrics(clock_mhz)
    return tuple(-metrics[name] if sign < 0 else log(metrics[name]) for name, sign in OBJECTIVES.items())


def pareto_front(evaluations: Iterable[Evaluation], clock_mhz: float) -> list[Evaluation]:
    """The evaluations that no other one dominates, fastest first; one of those with equal objectives."""
    by_vector = {objective_vector(evaluation, clock_mhz): evaluation for evaluation in evaluations}
    vectors = np.array(list(by_vector)).reshape(-1, len(OBJECTIVES))
    front = [
        evaluation
        for vector, evaluation in zip(vectors, by_vector.values(), strict=True)
        if not np.any(np.all(vectors <= vector, axis=1) & np.any(vectors < vector, axis=1))
    ]
    return sorted(front, key=lambda evaluation: objective_vector(evaluation, clock_mhz)[1])


def satisfies(evaluation: Evaluation, constraints: Sequence[Constraint], clock_mhz: float) -> bool:
    """Whether ``evaluation`` can run and meets every constraint."""
    if evaluation.cycles is None:
        return False
    metrics = evaluation.metrics(clock_mhz)
    return all(constraint.violation(metrics) <= 0 for constraint in constraints)


def best_pair(front: Sequence[Evaluation], constraints: Sequence[Constraint], clock_mhz: float) -> Evaluation | None:
    """The pair to build: the best in the objectives that no constraint settles, in their order, then in the others.

    So a bound on latency asks for the most accurate pair within it, and a bound on accuracy for the fastest. None where
    no pair of the front meets the constraints.
    """
    settled = {"cycles" if c.metric == "latency_ms" else c.metric for c in constraints}
    order = sorted(range(len(OBJECTIVES)), key=lambda index: list(OBJECTIVES)[index] in settled)
    feasible = [evaluation for evaluation in front if satisfies(evaluation, constraints, clock_mhz)]

    def preference(evaluation: Evaluation) -> tuple[float, ...]:
        vector = objective_vector(evaluation, clock_mhz)
        return tuple(vector[index] for index in order)

    return min(feasible, key=preference, default=None)
