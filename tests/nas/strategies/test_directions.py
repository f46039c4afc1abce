"""Hypervolume as a mean over directions."""

from __future__ import annotations

import numpy as np
import pytest
from moocore import hypervolume

from nas.strategies.directions import REFERENCE, gains, random_directions, reaches


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_gains_are_proportional_to_those_in_hypervolume(objectives: int) -> None:
    rng = np.random.default_rng(0)
    directions = random_directions(objectives, 20_000, rng)
    front, points = rng.random((4, objectives)), rng.random((5, objectives)) - 0.2
    found = gains(reaches(points, directions), reaches(front, directions).max(axis=0), objectives)
    volume = hypervolume(front, ref=[REFERENCE] * objectives)
    exact = [hypervolume(np.vstack([front, point]), ref=[REFERENCE] * objectives) - volume for point in points]
    np.testing.assert_allclose(found / found.max(), np.array(exact) / max(exact), atol=0.02)


def test_what_is_dominated_or_beyond_the_reference_gains_nothing() -> None:
    directions = random_directions(2, 50, np.random.default_rng(0))
    reached = reaches(np.array([[0.5, 0.5], [-1.0, REFERENCE + 0.1]]), directions)
    np.testing.assert_array_equal(gains(reached, reaches(np.array([[0.4, 0.5]]), directions)[0], 2), [0, 0])
