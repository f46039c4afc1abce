"""Hypervolume as a mean over directions (Golovin and Zhang, ICML 2020; Deng and Zhang, IEEE TEVC 2019).

A front reaches so far along each ray from the reference point; the mean of that length, to the power of the number of
objectives, is its hypervolume but for a factor. A point's gain is then a comparison per direction, however large the
front is.
"""

from __future__ import annotations

import numpy as np

REFERENCE = 1.1
"""Of every objective, where the front is scaled to 0 to 1."""


def random_directions(objectives: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """float64 [count, objectives]: uniform on the unit sphere where all are positive. ``rng`` is drawn from."""
    drawn = np.abs(rng.normal(size=(count, objectives)))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def reaches(points: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """float64 [points, directions]: how far what each of ``points`` [points, objectives] dominates reaches.

    Negative where the point is beyond the reference.
    """
    reached = np.full((len(points), len(directions)), np.inf)
    for point, direction in zip(points.T, directions.T, strict=True):  # an array of all three axes would be slower
        np.minimum(reached, np.multiply.outer(REFERENCE - point, 1 / direction), out=reached)
    return reached


def gains(reached: np.ndarray, front: np.ndarray, objectives: int) -> np.ndarray:
    """float64 [points]: proportional to the hypervolume that each adds to a front which reaches ``front`` [directions].

    ``reached`` is [points, directions].
    """
    volumes = np.maximum(reached, np.maximum(front, 0)) ** objectives - np.maximum(front, 0) ** objectives
    return volumes.mean(axis=1)
