"""A multi-task network that predicts what pairs cost: a shared trunk and one head per metric.

After Wu, Zhi, Song and Li's transferable predictor (2023). It learns logarithms, so that errors are relative. A target
may be missing: a metric is learnt from the pairs that it is known of, and one that is known of none stays unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import huber_loss

WIDTH = 64
STEPS = 400
"""Of Adam, on all pairs at once."""
RATE = 1e-2
DECAY = 1e-3
FARTHEST = 5.0
"""Deviations from the mean at which features are clipped: what was never seen is not extrapolated without end."""
MEMBERS = 3
"""Networks of an ensemble, which begin differently."""


class MultiTaskNetwork(nn.Module):
    """Standardised features to standardised logarithms of metrics, to each by a head on the trunk and the features."""

    def __init__(self, features: int, metrics: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(features, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU())
        self.heads = nn.ModuleList(nn.Linear(WIDTH + features, 1) for _ in range(metrics))

    def shared(self, features: Tensor) -> Tensor:
        """What every head reads [n, WIDTH + features]."""
        return torch.cat([self.trunk(features), features], dim=1)

    def forward(self, features: Tensor) -> Tensor:
        """[n, metrics]"""
        shared = self.shared(features)
        return torch.cat([head(shared) for head in self.heads], dim=1)


@dataclass(frozen=True, eq=False)
class Scale:
    """How the columns of values are standardised."""

    mean: np.ndarray
    deviation: np.ndarray

    def standardised(self, values: np.ndarray) -> np.ndarray:
        """float64, of the shape of ``values``."""
        return (values - self.mean) / self.deviation


@dataclass(frozen=True, eq=False)
class Predictor:
    """An ensemble of networks, whose mean predicts."""

    networks: tuple[MultiTaskNetwork, ...]
    features: Scale
    targets: Scale
    known: np.ndarray
    """bool [metrics]: those that some pair's target was known of."""

    def predict(self, features: np.ndarray) -> np.ndarray:
        """float64 [n, metrics] of ``features`` [n, features]; NaN for metrics that are not known."""
        return np.exp(self.logarithms(features).mean(axis=0))

    def logarithms(self, features: np.ndarray) -> np.ndarray:
        """float64 [members, n, metrics]: the logarithms that each network predicts."""
        inputs = self._inputs(features)
        with torch.no_grad():
            outputs = np.array([network(inputs).double().numpy() for network in self.networks])
        return np.where(self.known, outputs * self.targets.deviation + self.targets.mean, np.nan)

    def shared(self, features: np.ndarray) -> np.ndarray:
        """float64 [members, n, width]: what each network's heads read."""
        inputs = self._inputs(features)
        with torch.no_grad():
            return np.array([network.shared(inputs).double().numpy() for network in self.networks])

    def _inputs(self, features: np.ndarray) -> Tensor:
        return _clipped(self.features.standardised(features))


def train(features: np.ndarray, targets: np.ndarray, seed: int) -> Predictor:
    """Learn from ``features`` [n, features] and positive ``targets`` [n, metrics], of which any may be NaN.

    Raises ValueError where a target is not positive.
    """
    if (targets <= 0).any():
        raise ValueError("targets: one is not positive; accepted: positive numbers, and NaN where it is missing")
    known = np.isfinite(targets)
    # What never varies among these pairs says nothing of others, and no weight would be learnt for it.
    feature_scale, target_scale = scale_of(features, constant=np.inf), scale_of(np.log(targets), constant=1.0)
    x = _clipped(feature_scale.standardised(features))
    y = torch.tensor(np.where(known, target_scale.standardised(np.log(targets)), 0), dtype=torch.float32)
    mask = torch.tensor(known)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = tuple(MultiTaskNetwork(features.shape[1], targets.shape[1]) for _ in range(MEMBERS))
    for network in networks:
        _fit(network, x, y, mask)
    return Predictor(networks, feature_scale, target_scale, known.any(axis=0))


def _fit(network: MultiTaskNetwork, x: Tensor, y: Tensor, known: Tensor) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
    for _ in range(STEPS):
        loss = huber_loss(network(x)[known], y[known])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def scale_of(values: np.ndarray, constant: float) -> Scale:
    """The scale of ``values`` [n, columns], where NaN does not count; ``constant`` where one has no deviation."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / count
    variance = np.where(known, values - mean, 0)
    deviation = np.sqrt(np.square(variance).sum(axis=0) / count)
    return Scale(mean, np.where(deviation > 1e-6, deviation, constant))


def _clipped(values: np.ndarray) -> Tensor:
    return torch.tensor(np.clip(values, -FARTHEST, FARTHEST), dtype=torch.float32)
