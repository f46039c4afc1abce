"""Gaussian-process regression over integer genes, with a length scale per gene and the noise by marginal likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri

STEPS = 3
"""Of Adam, per fit; a fit goes on from the last one's scales."""
STEP = 0.15
MOMENTA = 0.9, 0.99
MOST_SCALED = 200
"""Samples, evenly out of all, that the scales are fitted to: each step costs their number's cube."""
RATE, RATE_SPREAD = -1.0, 2.0
"""Mean and deviation of the logarithm of a gene's rate beforehand: most genes matter little."""
NOISE, NOISE_SPREAD = np.log(1e-2), 1.0
"""Mean and deviation of the logarithm of the noise's variance beforehand, relative to the values'."""
NOISE_BOUNDS = np.log(1e-5), 0.0


@dataclass(frozen=True, eq=False)
class Posterior:
    """What a fitted process says of some genes."""

    model: GaussianProcess
    features: np.ndarray
    """float64 [n, features] of the genes."""
    mean: np.ndarray
    """float64 [n], in units of the values."""
    variance: np.ndarray
    """float64 [n], relative to the values'."""
    whitened: np.ndarray
    """float64 [known, n]: covariances with what is known, by the inverse of the Cholesky factor of its own."""

    @property
    def deviation(self) -> np.ndarray:
        """float64 [n], in units of the values."""
        return np.sqrt(self.variance) * self.model.deviation

    def joined(self, other: Posterior) -> Posterior:
        """Of these genes, then of the ``other``'s, which are of the same model."""
        return Posterior(
            self.model,
            np.concatenate([self.features, other.features]),
            np.concatenate([self.mean, other.mean]),
            np.concatenate([self.variance, other.variance]),
            np.concatenate([self.whitened, other.whitened], axis=1),
        )

    def believed(self, index: int) -> Posterior:
        """As if gene number ``index`` had come to its mean, so that only what is not known of the others shrinks."""
        covariance = self.model.covariance(self.features, self.features[index : index + 1])[:, 0]
        covariance = covariance - self.whitened.T @ self.whitened[:, index]
        row = covariance / np.sqrt(self.variance[index] + self.model.noise)
        variance = np.maximum(self.variance - np.square(row), 0)
        return Posterior(self.model, self.features, self.mean, variance, np.concatenate([self.whitened, row[None]]))


class GaussianProcess:
    """Zero mean and unit variance of standardised values; covariance falls exponentially with each gene's difference.

    Unordered genes differ by 0 or 1 (a Hamming kernel), ordered ones by the square of the difference over their range.
    Both are squared distances of features, one of an ordered gene and one per choice of another.
    """

    def __init__(self, sizes: np.ndarray, ordered: np.ndarray) -> None:
        self._sizes, self._ordered = sizes, ordered
        self._gene = np.concatenate([np.full(1 if o else n, g) for g, (n, o) in enumerate(zip(sizes, ordered))])  # noqa: B905
        self._scales = np.append(np.full(len(sizes), RATE), NOISE)
        """Logarithms of each gene's rate, and of the noise's variance."""
        self._gradient_moments = np.zeros((2, len(self._scales)))
        self._steps = 0

    @property
    def noise(self) -> float:
        """Variance of what the model leaves out, relative to the values'."""
        return float(np.exp(self._scales[-1]))

    def fit(self, genes: np.ndarray, values: np.ndarray) -> None:
        """Take ``genes`` [n, genes] with ``values`` [n], and follow the likelihood's gradient some steps."""
        self._mean, self.deviation = float(values.mean()), max(float(values.std()), 1e-9)
        y = (values - self._mean) / self.deviation
        self._features = self._features_of(genes)
        some = np.unique(np.linspace(0, len(y) - 1, min(len(y), MOST_SCALED)).round().astype(int))
        for _ in range(STEPS):
            self._step(self._loss_gradient(self._features[some], y[some]))
        self._factor = _cholesky(self._noisy(self.covariance(self._features, self._features)))
        self._fitted = _solved(self._factor, y)

    def predict(self, genes: np.ndarray) -> Posterior:
        """Of ``genes`` [n, genes]."""
        features = self._features_of(genes)
        whitened = _solved(self._factor, self.covariance(self._features, features))
        mean = self._fitted @ whitened * self.deviation + self._mean
        return Posterior(self, features, mean, np.maximum(1 - np.square(whitened).sum(axis=0), 0), whitened)

    def covariance(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        """float64 [some, others] of features, relative to the values' variance."""
        roots = np.exp(self._scales[self._gene] / 2)
        some, others = some * roots, others * roots
        lengths = np.square(some).sum(axis=1)[:, None] + np.square(others).sum(axis=1)
        return np.exp(-np.maximum(lengths - 2 * some @ others.T, 0))

    def _features_of(self, genes: np.ndarray) -> np.ndarray:
        columns = [
            gene[:, None] / max(size - 1, 1) if ordered else np.sqrt(0.5) * (gene[:, None] == np.arange(size))
            for gene, size, ordered in zip(genes.T, self._sizes, self._ordered, strict=True)
        ]
        return np.concatenate(columns, axis=1)

    def _noisy(self, covariance: np.ndarray) -> np.ndarray:
        return covariance + self.noise * np.eye(len(covariance))

    def _loss_gradient(self, features: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Of the negative logarithm of likelihood and prior, by the scales (Rasmussen and Williams, 2006, eq. 5.9).

        A gene's squared differences are those of its features, so their sum weighted by ``pull`` takes two products.
        """
        covariance = self.covariance(features, features)
        inverse = _inverse(_cholesky(self._noisy(covariance)))
        weights = inverse @ y
        misfit = np.outer(weights, weights) - inverse
        pull = misfit * covariance
        by_feature = pull.sum(axis=1) @ np.square(features) - ((pull @ features) * features).sum(axis=0)
        rates = np.bincount(self._gene, by_feature, len(self._sizes)) * np.exp(self._scales[:-1])
        gradient = np.append(rates, -0.5 * np.trace(misfit) * self.noise)
        gradient[:-1] += (self._scales[:-1] - RATE) / RATE_SPREAD**2
        gradient[-1] += (self._scales[-1] - NOISE) / NOISE_SPREAD**2
        return gradient

    def _step(self, gradient: np.ndarray) -> None:
        """One of Adam's."""
        self._steps += 1
        momenta = np.array(MOMENTA)[:, None]
        moments = np.stack([gradient, np.square(gradient)])
        self._gradient_moments = momenta * self._gradient_moments + (1 - momenta) * moments
        mean, square = self._gradient_moments / (1 - momenta**self._steps)
        self._scales = self._scales - STEP * mean / (np.sqrt(square) + 1e-9)
        self._scales[-1] = np.clip(self._scales[-1], *NOISE_BOUNDS)


def _cholesky(matrix: np.ndarray) -> np.ndarray:
    factor, _ = dpotrf(matrix, lower=1, clean=1)
    return np.asarray(factor)


def _inverse(factor: np.ndarray) -> np.ndarray:
    """Of the matrix with that Cholesky factor."""
    lower, _ = dpotri(factor, lower=1)
    return np.tril(lower) + np.tril(lower, -1).T


def _solved(factor: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.asarray(solve_triangular(factor, values, lower=True, check_finite=False))
