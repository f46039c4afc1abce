"""A predictor that learnt where data are cheap, adapted to where they are dear by a few of its own pairs."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
from sklearn.linear_model import RidgeCV
from torch import nn

from nas.predictor.network import MultiTaskNetwork, Predictor

STRENGTHS = np.logspace(-1, 4, 16)
"""Of the pull towards the source's heads; leave-one-out errors choose."""


def adapt(predictor: Predictor, features: np.ndarray, targets: np.ndarray) -> Predictor:
    """The predictor with heads moved to fit ``features`` [n, features] and positive ``targets`` [n, metrics].

    The trunk stays. Each head has a Gaussian prior around the source's, so that few pairs move it little: ridge
    regression of the residuals on what the heads read, per member and metric. A target may be NaN, and so may all of a
    metric, whose head then stays. Raises ValueError where a metric has targets that the source knows nothing of.
    """
    known = np.isfinite(targets)
    if (known.any(axis=0) & ~predictor.known).any():
        raise ValueError("targets: some are of a metric that the source does not know; accepted: those that it does")
    standardised = predictor.targets.standardised(np.log(targets))
    shared = predictor.shared(features)
    predicted = predictor.targets.standardised(predictor.logarithms(features))
    residuals = standardised - predicted
    networks = tuple(
        _moved(network, inputs, residual)
        for network, inputs, residual in zip(predictor.networks, shared, residuals, strict=True)
    )
    return replace(predictor, networks=networks)


def _moved(network: MultiTaskNetwork, inputs: np.ndarray, residuals: np.ndarray) -> MultiTaskNetwork:
    """A copy whose heads explain ``residuals`` [n, metrics] of ``inputs`` [n, width] as well."""
    moved = deepcopy(network)
    for head, residual in zip(moved.heads, residuals.T, strict=True):
        assert isinstance(head, nn.Linear)
        known = np.isfinite(residual)
        if known.sum() < 2:
            continue
        correction = RidgeCV(STRENGTHS).fit(inputs[known], residual[known])
        with torch.no_grad():
            head.weight.add_(torch.tensor(correction.coef_, dtype=torch.float32))
            head.bias.add_(torch.tensor(correction.intercept_, dtype=torch.float32))
    return moved
