"""Predictors of what pairs cost, where only few pairs were measured: transferred ones beside others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import nan

import numpy as np
from scipy.stats import kendalltau
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from nas.predictor.adaptation import FEWEST, adapt
from nas.predictor.network import FARTHEST, Predictor, train
from nas.predictor.selection import k_centre, most_disputed, random_choice

SAMPLES = (10, 20, 50)
HELD_OUT = 2 / 3
"""Of a target's pairs, or what is left of fewer beside the most samples, which are taken of the others, the pool."""
SOURCE_HELD_OUT = 0.1
FEWEST_HELD_OUT = 3
"""Held-out pairs with a metric known, by which its predictions are judged."""
RIDGE_STRENGTHS = np.logspace(-3, 3, 13)
"""Of which leave-one-out errors choose."""

Predict = Callable[[np.ndarray], np.ndarray]
"""Features [n, features] to metrics [n, metrics]."""


class Method(StrEnum):
    """How a target's pairs are predicted."""

    SOURCE = "source as it is"
    SCALED = "source times one factor per metric"
    TRANSFERRED = "transferred, random samples"
    K_CENTRE = "transferred, k-centre samples"
    DISPUTED = "transferred, disputed samples"
    SCRATCH = "network from scratch"
    RIDGE = "ridge regression"
    BOOSTING = "gradient boosting"


@dataclass(frozen=True, eq=False)
class CostedPairs:
    """Pairs as a predictor sees them."""

    features: np.ndarray
    """float64 [n, FEATURES]."""
    costs: np.ndarray
    """float64 [n, metrics]; NaN where one is not known."""

    def take(self, indices: np.ndarray) -> CostedPairs:
        """Those of ``indices``."""
        return CostedPairs(self.features[indices], self.costs[indices])


def joined(parts: Sequence[CostedPairs]) -> CostedPairs:
    """All of ``parts`` as one."""
    return CostedPairs(
        np.concatenate([part.features for part in parts]), np.concatenate([part.costs for part in parts])
    )


@dataclass(frozen=True)
class Score:
    """A predictor on held-out pairs."""

    target: str
    method: Method
    samples: int
    seed: int
    errors: tuple[float, ...]
    """Per metric, the mean absolute error relative to the truth; NaN where it was not predicted or is not known."""
    taus: tuple[float, ...]
    """Per metric, Kendall's rank correlation; 0 where everything is predicted alike, NaN as the errors."""
    cpu_seconds: float
    """Of learning from the samples; the source's own learning is not in it."""


def run_seed(seed: int, source: CostedPairs, targets: Mapping[str, CostedPairs]) -> list[Score]:
    """Every method on every target with each number of samples; the source's own held-out pairs come first."""
    rng = np.random.default_rng(seed)
    rest, held_out = _split(source, SOURCE_HELD_OUT, rng)
    began = time.process_time()
    pretrained = train(rest.features, rest.costs, seed)
    seconds = time.process_time() - began
    count = len(rest.costs)
    scores = [_score("source", Method.SOURCE, count, seed, pretrained.predict, held_out, seconds)]
    for name, pairs in targets.items():
        pool, held_out = _split(pairs, min(HELD_OUT, 1 - max(SAMPLES) / len(pairs.costs)), rng)
        scores.append(_score(name, Method.SOURCE, 0, seed, pretrained.predict, held_out, 0.0))
        order = random_choice(max(SAMPLES), len(pool.costs), rng)
        for samples in SAMPLES:
            choices = {
                Method.K_CENTRE: k_centre(pretrained, pool.features, samples, rng),
                Method.DISPUTED: most_disputed(pretrained, pool.features, samples),
            }
            for method, learn in METHODS.items():
                sample = pool.take(choices.get(method, order[:samples]))
                began = time.process_time()
                predict = learn(pretrained, sample, seed)
                seconds = time.process_time() - began
                scores.append(_score(name, method, samples, seed, predict, held_out, seconds))
    return scores


def _split(pairs: CostedPairs, share: float, rng: np.random.Generator) -> tuple[CostedPairs, CostedPairs]:
    """All but a random ``share`` of ``pairs``, and that share."""
    order = rng.permutation(len(pairs.costs))
    held_out = round(share * len(order))
    return pairs.take(order[held_out:]), pairs.take(order[:held_out])


def _score(
    target: str, method: Method, samples: int, seed: int, predict: Predict, held_out: CostedPairs, seconds: float
) -> Score:
    errors, taus = [], []
    for predicted, truth in zip(predict(held_out.features).T, held_out.costs.T, strict=True):
        known = np.isfinite(predicted) & np.isfinite(truth)
        told = known.sum() >= FEWEST_HELD_OUT
        errors.append(float(np.abs(predicted[known] / truth[known] - 1).mean()) if told else nan)
        tau = np.nan_to_num(kendalltau(predicted[known], truth[known]).statistic) if told else nan
        taus.append(float(tau))
    return Score(target, method, samples, seed, tuple(errors), tuple(taus), seconds)


def _scaled(pretrained: Predictor, sample: CostedPairs, _seed: int) -> Predict:
    ratios = np.log(sample.costs / pretrained.predict(sample.features))
    known = np.isfinite(ratios)
    counts = known.sum(axis=0)
    factor = np.exp(np.where(known, ratios, 0).sum(axis=0) / np.where(counts, counts, nan))
    return lambda features: pretrained.predict(features) * factor


def _adapted(pretrained: Predictor, sample: CostedPairs, _seed: int) -> Predict:
    return adapt(pretrained, sample.features, sample.costs).predict


def _from_scratch(_pretrained: Predictor, sample: CostedPairs, seed: int) -> Predict:
    return train(sample.features, sample.costs, seed).predict


def _ridge(_pretrained: Predictor, sample: CostedPairs, _seed: int) -> Predict:
    # Clipped as the network's features are: one that hardly varies among the samples would carry predictions away.
    clip = FunctionTransformer(np.clip, kw_args={"a_min": -FARTHEST, "a_max": FARTHEST})
    return _regressed(make_pipeline(StandardScaler(), clip, RidgeCV(RIDGE_STRENGTHS)), sample)


def _boosting(_pretrained: Predictor, sample: CostedPairs, seed: int) -> Predict:
    return _regressed(GradientBoostingRegressor(random_state=seed), sample)


def _regressed(regressor: BaseEstimator, sample: CostedPairs) -> Predict:
    """One ``regressor`` per metric, of its logarithm; none of a metric with fewer than ``FEWEST`` costs."""
    models = []
    for costs in np.log(sample.costs.T):
        known = np.isfinite(costs)
        enough = known.sum() >= FEWEST
        models.append(clone(regressor).fit(sample.features[known], costs[known]) if enough else None)

    def predict(features: np.ndarray) -> np.ndarray:
        unknown = np.full(len(features), nan)
        return np.exp([unknown if model is None else model.predict(features) for model in models]).T

    return predict


METHODS: dict[Method, Callable[[Predictor, CostedPairs, int], Predict]] = {
    Method.SCALED: _scaled,
    Method.TRANSFERRED: _adapted,
    Method.K_CENTRE: _adapted,
    Method.DISPUTED: _adapted,
    Method.SCRATCH: _from_scratch,
    Method.RIDGE: _ridge,
    Method.BOOSTING: _boosting,
}
"""What learns from the samples, given the pretrained predictor and a seed."""
