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
    """Each member is a linear map plus a network of two hidden layers; where they disagree, little is known."""

    def __init__(self, inputs: int, outputs: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)

        def weights(rows: int, columns: int, scale: float) -> Tensor:
            drawn = torch.randn((MEMBERS, rows + 1, columns), generator=generator) * scale / rows**0.5
            return drawn.requires_grad_()

        self._layers = [weights(inputs, HIDDEN, 1.4), weights(HIDDEN, HIDDEN, 1.4), weights(HIDDEN, outputs, 1.0)]
        self._linear = weights(inputs, outputs, 0.3)
        self._optimiser = torch.optim.AdamW([*self._layers, self._linear], LEARNING_RATE, weight_decay=WEIGHT_DECAY)

    def fit(self, features: Tensor, values: np.ndarray, steps: int = STEPS) -> None:
        """Take ``features`` [n, inputs] of ``values`` [n, outputs], NaN where unknown; each output is known of some."""
        self.mean = np.nanmean(values, axis=0)
        self.deviation = np.maximum(np.nanstd(values, axis=0), 1e-9)
        known = torch.tensor(np.isfinite(values))
        y = torch.tensor((values - self.mean) / self.deviation, dtype=torch.float32).nan_to_num()
        for _ in range(steps):
            loss = ((self.standardised(features) - y).square() * known).sum() / known.sum()
            self._optimiser.zero_grad()
            loss.backward()
            self._optimiser.step()

    def predict(self, features: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """The members' mean and standard deviation, both [n, outputs], for ``features`` [n, inputs]."""
        with torch.no_grad():
            members = self.standardised(features).double().numpy()
        return members.mean(axis=0) * self.deviation + self.mean, members.std(axis=0) * self.deviation

    def standardised(self, features: Tensor) -> Tensor:
        """float32 [members, n, outputs]: predictions less their mean, over their deviation, of ``fit``'s values.

        Gradients reach ``features`` [n, inputs].
        """
        inputs = x = features.expand(MEMBERS, -1, -1)
        for layer in self._layers[:-1]:
            x = F.silu(_affine(x, layer))
        return _affine(inputs, self._linear) + _affine(x, self._layers[-1])


def gene_features(problem: Problem, genes: np.ndarray) -> Tensor:
    """float32 [n, inputs] of ``genes`` [n, genes]: unordered ones one-hot, ordered ones by place in their range."""
    columns = [
        2 * column[:, None] / max(size - 1, 1) - 1 if ordered else column[:, None] == np.arange(size)
        for column, size, ordered in zip(genes.T, problem.gene_sizes, problem.ordered, strict=True)
    ]
    return torch.tensor(np.concatenate(columns, axis=1), dtype=torch.float32)


def feature_count(problem: Problem) -> int:
    """How many ``gene_features`` there are."""
    return sum(1 if ordered else size for size, ordered in zip(problem.gene_sizes, problem.ordered, strict=True))


def _affine(x: Tensor, weights: Tensor) -> Tensor:
    """``x`` [members, n, rows] times ``weights`` [members, rows + 1, columns], whose last row is the bias."""
    return torch.baddbmm(weights[:, -1:], x, weights[:, :-1])
