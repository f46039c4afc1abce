"""A predictor learns what is known, says nothing of what is not, and moves to where few pairs are known."""

from __future__ import annotations

import numpy as np
import pytest

from nas.predictor import network
from nas.predictor.adaptation import adapt
from nas.predictor.network import Predictor, train
from nas.predictor.selection import k_centre, most_disputed, random_choice

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(200, 4))
COSTS = np.exp(np.stack([FEATURES[:, 0] + np.abs(FEATURES[:, 1]), FEATURES[:, 2] - FEATURES[:, 0]], axis=1))
UNSEEN = RNG.normal(size=(100, 4))
UNSEEN_COSTS = np.exp(np.stack([UNSEEN[:, 0] + np.abs(UNSEEN[:, 1]), UNSEEN[:, 2] - UNSEEN[:, 0]], axis=1))


@pytest.fixture(scope="module", autouse=True)
def few_steps() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "STEPS", 150)
        yield


@pytest.fixture(scope="module")
def source() -> Predictor:
    return train(FEATURES, COSTS, seed=0)


def errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.abs(predicted / truth - 1).mean(axis=0)


def test_it_predicts_pairs_that_it_never_saw(source: Predictor) -> None:
    assert (errors(source.predict(UNSEEN), UNSEEN_COSTS) < 0.15).all()


def test_the_seed_settles_what_it_learns() -> None:
    first, again, other = (train(FEATURES[:30], COSTS[:30], seed).predict(UNSEEN) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_never_varied_says_nothing() -> None:
    predictor = train(np.insert(FEATURES, 2, 7.0, axis=1), COSTS, seed=0)
    predicted = [predictor.predict(np.insert(UNSEEN, 2, value, axis=1)) for value in (7.0, 9.0)]
    assert np.array_equal(*predicted)
    assert (errors(predicted[0], UNSEEN_COSTS) < 0.15).all()


def test_a_metric_is_learnt_from_the_pairs_that_it_is_known_of() -> None:
    costs = COSTS.copy()
    costs[80:, 1] = np.nan
    assert (errors(train(FEATURES, costs, seed=0).predict(UNSEEN), UNSEEN_COSTS) < [0.15, 0.3]).all()


def test_a_metric_that_is_known_of_no_pair_stays_unknown() -> None:
    predicted = train(FEATURES, COSTS * [1, np.nan], seed=0).predict(UNSEEN)
    assert np.isnan(predicted[:, 1]).all()
    assert errors(predicted, UNSEEN_COSTS)[0] < 0.15


def test_targets_that_are_not_positive_are_refused() -> None:
    with pytest.raises(ValueError, match="not positive"):
        train(FEATURES, COSTS - COSTS.min(axis=0), seed=0)


def test_few_pairs_adapt_it_to_another_domain(source: Predictor) -> None:
    changed = COSTS * np.exp(np.stack([1 + 0.5 * FEATURES[:, 3], -1 + 0 * FEATURES[:, 0]], axis=1))
    truth = UNSEEN_COSTS * np.exp(np.stack([1 + 0.5 * UNSEEN[:, 3], -1 + 0 * UNSEEN[:, 0]], axis=1))
    adapted = adapt(source, FEATURES[:20], changed[:20]).predict(UNSEEN)
    scaled = source.predict(UNSEEN) * np.exp(np.log(changed[:20] / source.predict(FEATURES[:20])).mean(axis=0))
    assert (errors(adapted, truth) < errors(train(FEATURES[:20], changed[:20], seed=0).predict(UNSEEN), truth)).all()
    assert errors(adapted, truth)[0] < 0.6 * errors(scaled, truth)[0]
    assert (errors(source.predict(UNSEEN), UNSEEN_COSTS) < 0.15).all(), "the source is as it was"


def test_a_metric_without_samples_stays_the_source_s(source: Predictor) -> None:
    adapted = adapt(source, FEATURES[:10], 2 * COSTS[:10] * [1, np.nan]).predict(UNSEEN)
    assert np.allclose(adapted[:, 1], source.predict(UNSEEN)[:, 1])
    assert errors(adapted, 2 * UNSEEN_COSTS)[0] < 0.2


def test_a_metric_that_the_source_does_not_know_is_learnt_of_the_samples() -> None:
    ignorant = train(FEATURES, COSTS * [1, np.nan], seed=0)
    adapted = adapt(ignorant, FEATURES[:30], COSTS[:30]).predict(UNSEEN)
    mean = np.exp(np.log(COSTS[:30, 1]).mean())
    assert errors(adapted, UNSEEN_COSTS)[1] < 0.5 * errors(np.full((100, 2), mean), UNSEEN_COSTS)[1]
    assert np.isnan(ignorant.predict(UNSEEN)[:, 1]).all(), "the source is as it was"


def test_one_sample_of_a_metric_that_the_source_does_not_know_leaves_it_unknown() -> None:
    ignorant = train(FEATURES, COSTS * [1, np.nan], seed=0)
    costs = np.where(np.arange(200)[:, None] < [200, 1], COSTS, np.nan)
    assert np.isnan(adapt(ignorant, FEATURES[:30], costs[:30]).predict(UNSEEN)[:, 1]).all()


def test_random_choices_differ() -> None:
    assert len(set(random_choice(10, 10, np.random.default_rng(0)).tolist())) == 10


def test_k_centre_chooses_one_of_each_cluster(source: Predictor) -> None:
    clusters = np.repeat(2.0 * np.eye(4), 10, axis=0) + 0.01 * RNG.normal(size=(40, 4))
    chosen = k_centre(source, clusters, 4, np.random.default_rng(0))
    assert sorted(chosen // 10) == [0, 1, 2, 3]


def test_the_most_disputed_are_those_that_members_differ_in(source: Predictor) -> None:
    chosen = most_disputed(source, UNSEEN, 10)
    disagreement = source.logarithms(UNSEEN).std(axis=0).mean(axis=1)
    assert len(set(chosen.tolist())) == 10
    assert disagreement[chosen].min() >= np.delete(disagreement, chosen).max()
