"""A predictor that learnt where data are cheap, adapted to where they are dear by a few of its own pairs."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
from sklearn.linear_model import RidgeCV
from torch import nn

from nas.predictor.network import MultiTaskNetwork, Predictor, Scale, scale_of

STRENGTHS = np.logspace(-1, 4, 16)
"""Of the pull towards the source's heads; leave-one-out errors choose."""
FEWEST = 2
"""Targets of a metric that its head moves for."""


def adapt(predictor: Predictor, features: np.ndarray, targets: np.ndarray) -> Predictor:
    """The predictor with heads moved to fit ``features`` [n, features] and positive ``targets`` [n, metrics].

    The trunk stays. Each head has a Gaussian prior around the source's, so that few pairs move it little: ridge
    regression of the residuals on what the heads read, per member and metric. A metric that the source knows nothing of
    has a prior around the mean of its targets. A target may be NaN; a metric with fewer than ``FEWEST`` stays as it is.
    """
    logarithms = np.log(targets)
    enough = np.isfinite(targets).sum(axis=0) >= FEWEST
    predictor = _introduced(predictor, logarithms, enough & ~predictor.known)
    standardised = predictor.targets.standardised(logarithms)
    shared = predictor.shared(features)
    predicted = predictor.targets.standardised(predictor.logarithms(features))
    residuals = standardised - predicted
    networks = tuple(
        _moved(network, inputs, residual)
        for network, inputs, residual in zip(predictor.networks, shared, residuals, strict=True)
    )
    return replace(predictor, networks=networks)


def _introduced(predictor: Predictor, logarithms: np.ndarray, metrics: np.ndarray) -> Predictor:
    """The predictor, which of ``metrics`` bool [metrics] predicts the mean of ``logarithms`` [n, metrics]."""
    found, targets = scale_of(logarithms, constant=1.0), predictor.targets
    networks = deepcopy(predictor.networks)
    for network in networks:
        for head, introduced in zip(network.heads, metrics, strict=True):
            if introduced:
                for parameter in head.parameters():
                    nn.init.zeros_(parameter)
    return replace(
        predictor,
        networks=networks,
        targets=Scale(
            np.where(metrics, found.mean, targets.mean), np.where(metrics, found.deviation, targets.deviation)
        ),
        known=predictor.known | metrics,
    )


def _moved(network: MultiTaskNetwork, inputs: np.ndarray, residuals: np.ndarray) -> MultiTaskNetwork:
    """A copy whose heads explain ``residuals`` [n, metrics] of ``inputs`` [n, width] as well."""
    moved = deepcopy(network)
    for head, residual in zip(moved.heads, residuals.T, strict=True):
        assert isinstance(head, nn.Linear)
        known = np.isfinite(residual)
        if known.sum() < FEWEST:
            continue
        correction = RidgeCV(STRENGTHS).fit(inputs[known], residual[known])
        with torch.no_grad():
            head.weight.add_(torch.tensor(correction.coef_, dtype=torch.float32))
            head.bias.add_(torch.tensor(correction.intercept_, dtype=torch.float32))
    return moved
