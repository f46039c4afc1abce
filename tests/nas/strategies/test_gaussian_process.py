"""Gaussian processes over integer genes."""

from __future__ import annotations

import numpy as np
import pytest

from nas.strategies import gaussian_process as gp
from nas.strategies.gaussian_process import GaussianProcess

SIZES, ORDERED = np.array([4, 3, 5]), np.array([False, False, True])


def drawn(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(SIZES, size=(count, len(SIZES)))


def truth(genes: np.ndarray) -> np.ndarray:
    """The second gene does not matter."""
    return 3.0 * (genes[:, 0] == 2) + 0.5 * genes[:, 2]


@pytest.fixture
def fitted() -> GaussianProcess:
    model, genes = GaussianProcess(SIZES, ORDERED), drawn(30, seed=0)
    for _ in range(20):
        model.fit(genes, truth(genes))
    return model


def test_it_learns_which_genes_matter(fitted: GaussianProcess) -> None:
    genes = drawn(40, seed=1)
    found = fitted.predict(genes)
    assert np.abs(found.mean - truth(genes)).max() < 0.3
    base = np.zeros((1, 3), int)
    moved = [abs(fitted.predict(base + step).mean[0] - fitted.predict(base).mean[0]) for step in np.eye(3, dtype=int)]
    assert moved[1] < 0.1 < moved[2]


def test_what_is_known_is_less_uncertain_than_what_is_not() -> None:
    model, genes = GaussianProcess(SIZES, ORDERED), drawn(4, seed=0)
    model.fit(genes, truth(genes))
    assert model.predict(genes).deviation.max() < model.predict(3 - np.minimum(genes, 2)).deviation.max()


def test_scales_follow_the_gradient_of_the_likelihood(fitted: GaussianProcess) -> None:
    features = fitted._features
    y = (truth(drawn(30, seed=0)) - fitted._mean) / fitted.deviation

    def loss(scales: np.ndarray) -> float:
        fitted._scales = scales
        covariance = fitted._noisy(fitted.covariance(features, features))
        prior = ((scales[:-1] - gp.RATE) / gp.RATE_SPREAD) ** 2
        noise = ((scales[-1] - gp.NOISE) / gp.NOISE_SPREAD) ** 2
        fit = y @ np.linalg.solve(covariance, y) + np.linalg.slogdet(covariance)[1]
        return 0.5 * float(fit + prior.sum() + noise)

    scales = np.array([-0.5, -2.0, 0.3, -3.0])
    steps = 1e-5 * np.eye(len(scales))
    slopes = [(loss(scales + step) - loss(scales - step)) / 2e-5 for step in steps]
    fitted._scales = scales
    np.testing.assert_allclose(fitted._loss_gradient(features, y), slopes, rtol=1e-4, atol=1e-6)


def test_believing_a_mean_only_shrinks_what_is_not_known(fitted: GaussianProcess) -> None:
    genes = np.unique(drawn(20, seed=2), axis=0)
    before = fitted.predict(genes)
    after = before.believed(3)
    np.testing.assert_array_equal(after.mean, before.mean)
    assert (after.deviation <= before.deviation).all()
    assert after.variance[3] == pytest.approx(before.variance[3] * fitted.noise / (before.variance[3] + fitted.noise))


def test_posteriors_join_as_if_predicted_at_once(fitted: GaussianProcess) -> None:
    genes = drawn(9, seed=3)
    joined, whole = fitted.predict(genes[:4]).joined(fitted.predict(genes[4:])), fitted.predict(genes)
    np.testing.assert_allclose(joined.believed(2).deviation, whole.believed(2).deviation, atol=1e-9)
    np.testing.assert_allclose(joined.mean, whole.mean)
