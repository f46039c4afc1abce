"""A predictor of outcomes from genes: a deep ensemble of small networks (Lakshminarayanan et al., NeurIPS 2017)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nas.strategies.base import Problem

MEMBERS = 8
HIDDEN = 64
STEPS = 60
"""Of AdamW, per fit; a fit goes on from the last one's weights."""
LEARNING_RATE = 0.01
WEIGHT_DECAY = 1e-3


class Ensemble:
    """Each member is a linear map plus a network of two hidden layers; where they disagree, little is known.

    Unordered genes are read one-hot, ordered ones by their place in their range.
    """

    def __init__(self, problem: Problem, outputs: int, seed: int) -> None:
        self._problem = problem
        inputs = sum(1 if ordered else size for size, ordered in zip(problem.gene_sizes, problem.ordered, strict=True))
        generator = torch.Generator().manual_seed(seed)

        def weights(rows: int, columns: int, scale: float) -> Tensor:
            drawn = torch.randn((MEMBERS, rows + 1, columns), generator=generator) * scale / rows**0.5
            return drawn.requires_grad_()

        self._layers = [weights(inputs, HIDDEN, 1.4), weights(HIDDEN, HIDDEN, 1.4), weights(HIDDEN, outputs, 1.0)]
        self._linear = weights(inputs, outputs, 0.3)
        self._optimiser = torch.optim.AdamW([*self._layers, self._linear], LEARNING_RATE, weight_decay=WEIGHT_DECAY)

    def fit(self, genes: np.ndarray, values: np.ndarray, steps: int = STEPS) -> None:
        """Take ``genes`` [n, genes] with ``values`` [n, outputs], NaN where unknown; each output is known of some."""
        self._mean = np.nanmean(values, axis=0)
        self._deviation = np.maximum(np.nanstd(values, axis=0), 1e-9)
        known = torch.tensor(np.isfinite(values))
        y = torch.tensor((values - self._mean) / self._deviation, dtype=torch.float32).nan_to_num()
        x = self._features(genes)
        for _ in range(steps):
            loss = ((self.standardised(x) - y).square() * known).sum() / known.sum()
            self._optimiser.zero_grad()
            loss.backward()
            self._optimiser.step()

    def predict(self, genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The members' mean and standard deviation, both [n, outputs], for ``genes`` [n, genes]."""
        with torch.no_grad():
            members = self.standardised(self._features(genes)).double().numpy()
        return members.mean(axis=0) * self._deviation + self._mean, members.std(axis=0) * self._deviation

    def _features(self, genes: np.ndarray) -> Tensor:
        """float32 [n, inputs]."""
        columns = [
            2 * column[:, None] / max(size - 1, 1) - 1 if ordered else column[:, None] == np.arange(size)
            for column, size, ordered in zip(genes.T, self._problem.gene_sizes, self._problem.ordered, strict=True)
        ]
        return torch.tensor(np.concatenate(columns, axis=1), dtype=torch.float32)

    def standardised(self, features: Tensor) -> Tensor:
        """float32 [members, n, outputs]: predictions less their mean, over their deviation, of ``fit``'s values.

        ``features`` [n, inputs] are those of genes, or of genes that are relaxed; gradients reach them.
        """
        inputs = x = features.expand(MEMBERS, -1, -1)
        for layer in self._layers[:-1]:
            x = F.silu(_affine(x, layer))
        return _affine(inputs, self._linear) + _affine(x, self._layers[-1])


def _affine(x: Tensor, weights: Tensor) -> Tensor:
    """``x`` [members, n, rows] times ``weights`` [members, rows + 1, columns], whose last row is the bias."""
    return torch.baddbmm(weights[:, -1:], x, weights[:, :-1])
