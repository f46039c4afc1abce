"""Which pairs to have measured, where each measurement is dear."""

from __future__ import annotations

import numpy as np

from nas.predictor.network import Predictor


def random_choice(count: int, candidates: int, rng: np.random.Generator) -> np.ndarray:
    """int64 [count]: different indices below ``candidates``, uniformly drawn."""
    return rng.permutation(candidates)[:count]


def k_centre(predictor: Predictor, features: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """int64 [count]: indices of ``features`` [n, features] that leave none far away in the trunk's space.

    Greedy (Gonzalez, 1985; Sener and Savarese, ICLR 2018): a random one, then always the one farthest from all chosen.
    """
    space = np.concatenate(list(predictor.shared(features)), axis=1)
    chosen = [int(rng.integers(len(space)))]
    distance = np.full(len(space), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, np.square(space - space[chosen[-1]]).sum(axis=1))
        chosen.append(int(distance.argmax()))
    return np.array(chosen)


def most_disputed(predictor: Predictor, features: np.ndarray, count: int) -> np.ndarray:
    """int64 [count]: indices of ``features`` [n, features] that the ensemble's members disagree about the most.

    Disagreement is the deviation of the predicted logarithms, its mean over the metrics.
    """
    disagreement = np.nanmean(predictor.logarithms(features).std(axis=0), axis=1)
    return np.argsort(-disagreement, kind="stable")[:count]
