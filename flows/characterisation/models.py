"""Models of what an accelerator comes to on an ECP5, fitted on the rows of those that were implemented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import nnls

from flows.characterisation.features import features, part_of
from flows.characterisation.plan import Point
from flows.characterisation.rows import ROWS, Row, read_rows
from flows.implement.ecp5.resources import block_memories, multipliers

FITTED = ("lut", "ff")
"""Resources, fields of ``Cells``, that are modelled; the others are known."""
UNCERTAINTY = 0.5
"""Of what a term is thought to take, relative to it."""
LEAST = 0.1
"""Cells that a term may take of which none are expected."""
NOISE = 0.02
"""Cells that no term explains, relative to the whole accelerator's."""


@dataclass(frozen=True)
class Resources:
    """What an accelerator takes of a device: LUTs and flip-flops modelled, the others known."""

    lut: float
    ff: float
    dsp: int
    bram: int


@dataclass(frozen=True, eq=False)
class ResourceModel:
    """LUTs and flip-flops after synthesis: of each part of the accelerator, a weighted sum of its terms."""

    weights: Mapping[str, Mapping[str, np.ndarray]]
    """By resource and part."""
    rows: int
    """That it was fitted on."""

    def resources(self, point: Point) -> Resources:
        """Of the accelerator of ``point``, its boundary included."""
        parts = features(point)
        lut, ff = (
            sum(float(weights[part] @ [term.quantity for term in terms]) for part, terms in parts.items())
            for weights in (self.weights[resource] for resource in FITTED)
        )
        return Resources(lut, ff, multipliers(point.config, point.multipliers), block_memories(point.config))


def expected_resources(point: Point) -> Resources:
    """Of the accelerator of ``point``, by what its terms are thought to take: known before any row."""
    terms = [term for part in features(point).values() for term in part]
    lut, ff = (sum(term.quantity * getattr(term, resource) for term in terms) for resource in FITTED)
    return Resources(lut, ff, multipliers(point.config, point.multipliers), block_memories(point.config))


def fit(rows: Sequence[Row]) -> ResourceModel:
    """Non-negative least squares, part by part, of what rows differ by, and of what weights differ by from expectation.

    So weights are those expected where no row tells, and what the rows say where many do.
    """
    parts = [features(row.point) for row in rows]
    weights: dict[str, dict[str, np.ndarray]] = {}
    for resource in FITTED:
        noise = NOISE * np.array([row.total(resource) for row in rows])
        weights[resource] = {
            part: _fit_part(
                np.array([[term.quantity for term in terms[part]] for terms in parts]),
                _cells(rows, part, resource),
                noise,
                np.array([getattr(term, resource) for term in parts[0][part]], float),
            )
            for part in parts[0]
        }
    return ResourceModel(weights, len(rows))


def _cells(rows: Sequence[Row], part: str, resource: str) -> np.ndarray:
    """Of ``part``, in each row."""
    return np.array(
        [
            sum(getattr(cells, resource) for name, cells in row.components.items() if part_of(name) == part)
            for row in rows
        ],
        float,
    )


def _fit_part(quantities: np.ndarray, cells: np.ndarray, noise: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Weights [terms] of ``quantities`` [rows, terms], none negative, near ``expected`` [terms].

    They make up ``cells`` [rows] to within ``noise`` [rows]: the mode of their posterior, all of it Gaussian.
    """
    spread = UNCERTAINTY * np.maximum(expected, LEAST)
    design = np.vstack([quantities / noise[:, None], np.diag(1 / spread)])
    weights, _ = nnls(design, np.concatenate([cells / noise, expected / spread]))
    return np.asarray(weights)


@cache
def resource_model() -> ResourceModel:
    """That of the rows in the repository."""
    return fit(list(read_rows(ROWS).values()))
