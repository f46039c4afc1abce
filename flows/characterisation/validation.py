"""How far the models are off on rows that they were not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau

from flows.characterisation.clock_model import FEWEST_ROWS, fit_clock
from flows.characterisation.models import FITTED, fit
from flows.characterisation.plan import Point
from flows.characterisation.rows import Row

FOLDS = 10
"""Or as many as there are rows, where they are fewer."""
FEWEST_FITTED = 3

Predict = Callable[[Point], float]


@dataclass(frozen=True)
class Errors:
    """Of predictions, relative to what was found, on rows left out of the fit."""

    rows: int
    mean: float
    worst: float
    tau: float
    """Kendall's rank correlation of predictions with what was found."""


def resource_errors(rows: Sequence[Row]) -> dict[str, Errors]:
    """Of modelled resources after synthesis, by name; none where there are too few rows."""
    if len(rows) < FEWEST_FITTED:
        return {}

    def learn(resource: str) -> Callable[[Sequence[Row]], Predict]:
        def learnt(others: Sequence[Row]) -> Predict:
            model = fit(others)
            return lambda point: float(getattr(model.resources(point), resource))

        return learnt

    return {resource: _errors(rows, learn(resource), [row.total(resource) for row in rows]) for resource in FITTED}


def clock_errors(rows: Sequence[Row]) -> Errors | None:
    """Of modelled Fmax; None where too few rows are placed and routed for a model."""
    routed = [row for row in rows if row.routed is not None]
    if len(routed) < FEWEST_ROWS:
        return None
    resources = fit(rows)
    clocks = [row.routed.fmax_mhz for row in routed if row.routed is not None]
    return _errors(routed, lambda others: fit_clock(others, resources).fmax_mhz, clocks)


def unlike_known(rows: Sequence[Row]) -> list[Row]:
    """Those whose multipliers or block memories were not what their configuration said; there should be none."""
    return [row for row in rows if any(row.total(resource) != count for resource, count in row.known.items())]


def _errors(rows: Sequence[Row], learn: Callable[[Sequence[Row]], Predict], found: Sequence[float]) -> Errors:
    predicted = np.zeros(len(rows))
    folds = min(FOLDS, len(rows))
    for fold in range(folds):
        predict = learn([row for index, row in enumerate(rows) if index % folds != fold])
        for index in range(fold, len(rows), folds):
            predicted[index] = predict(rows[index].point)
    relative = np.abs(predicted / np.array(found, float) - 1)
    tau = float(np.nan_to_num(kendalltau(predicted, found).statistic))
    return Errors(len(rows), float(relative.mean()), float(relative.max()), tau)
