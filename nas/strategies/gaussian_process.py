"""Gaussian-process regression over integer genes, several outputs at once, each with its own length scale per gene."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

NOISE = 1e-4
"""Variance of what the model leaves out, relative to that of the output."""
STEPS = 12
"""Of Adam, per fit; a fit goes on from the last one's scales."""
STEP = 0.1


class GaussianProcess:
    """Zero mean and unit variance of standardised outputs; covariance falls exponentially with each gene's difference.

    Unordered genes differ by 0 or 1 (a Hamming kernel), ordered ones by the square of the difference over their range.
    """

    def __init__(self, sizes: np.ndarray, ordered: np.ndarray, outputs: int) -> None:
        self._range = np.maximum(sizes - 1, 1)
        self._ordered = ordered
        self._log_rates = torch.zeros((outputs, len(sizes)), dtype=torch.float64, requires_grad=True)
        self._optimiser = torch.optim.Adam([self._log_rates], STEP)

    def fit(self, genes: np.ndarray, values: np.ndarray) -> None:
        """Take ``genes`` [n, genes] with ``values`` [n, outputs], and follow the likelihood's gradient some steps."""
        self._genes = genes
        self._mean, self._deviation = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-9)
        y = torch.tensor(((values - self._mean) / self._deviation).T[:, :, None])
        differences = self._differences(genes, genes)
        for _ in range(STEPS):
            factor = self._factor(differences)
            fitted = torch.linalg.solve_triangular(factor, y, upper=False)
            log_determinant = factor.diagonal(dim1=1, dim2=2).log().sum()
            prior = 0.5 * ((self._log_rates + 1) / 2).square().sum()  # most genes matter little
            loss = 0.5 * fitted.square().sum() + log_determinant + prior
            self._optimiser.zero_grad()
            loss.backward()
            self._optimiser.step()
        with torch.no_grad():
            self._cholesky = self._factor(differences)
            self._weights = torch.cholesky_solve(y, self._cholesky)

    def predict(self, genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation, both [n, outputs], of ``genes`` [n, genes]."""
        with torch.no_grad():
            covariance = self._covariance(self._differences(genes, self._genes))
            mean = (covariance @ self._weights)[:, :, 0].T.numpy()
            explained = torch.linalg.solve_triangular(self._cholesky, covariance.mT, upper=False).square().sum(dim=1)
            deviation = (1 - explained).clamp_min(0).sqrt().T.numpy()
        return mean * self._deviation + self._mean, deviation * self._deviation

    def _differences(self, some: np.ndarray, others: np.ndarray) -> Tensor:
        """float64 [genes, some, others]."""
        apart = some.T[:, :, None] - others.T[:, None, :]
        ordered = np.square(apart / self._range[:, None, None])
        return torch.tensor(np.where(self._ordered[:, None, None], ordered, apart != 0))

    def _covariance(self, differences: Tensor) -> Tensor:
        """float64 [outputs, some, others]."""
        return torch.exp(-torch.einsum("og,gij->oij", self._log_rates.exp(), differences))

    def _factor(self, differences: Tensor) -> Tensor:
        """Cholesky factors of the outputs' covariance with noise."""
        return torch.linalg.cholesky(self._covariance(differences) + NOISE * torch.eye(differences.shape[1]).double())
