"""The comparison of predictors, on pairs whose costs are made up."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from flows.experiments.cost_log import CostLog
from flows.experiments.transfer import METHODS, SAMPLES, CostedPairs, Method, Score, run_seed
from flows.experiments.transfer_pairs import SOURCES, TARGETS, costed_pairs, random_pairs
from flows.experiments.transfer_report import Study, transfer_page, transfer_values, write_study
from flows.pairs.accelerator_space import ACCELERATOR_SPACES
from flows.pairs.evaluation import Cost, Pair
from nas.predictor import network
from tests.flows.fakes import ToySpace
from tests.flows.test_cli import assert_refused

ACCELERATORS = ACCELERATOR_SPACES["digits"]
STUDY = Study("toys", "toy", "Toys.", ("cycles", "energy"), tuple(target.name for target in TARGETS))


def synthetic(factor: float, count: int) -> CostedPairs:
    """Costs that are a product of powers of features, and in part of their sums."""
    features = np.random.default_rng(count).normal(size=(count, 5))
    log_costs = np.stack([np.abs(features[:, 0]) + features[:, 1], features[:, 2] * features[:, 3]], axis=1)
    return CostedPairs(features, factor * np.exp(log_costs))


@pytest.fixture(scope="module")
def scores() -> list[Score]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "STEPS", 30)
        return run_seed(0, synthetic(1.0, 300), {target.name: synthetic(3.0, 150) for target in TARGETS})


def test_every_method_is_scored_with_every_number_of_samples(scores: list[Score]) -> None:
    found = {(score.target, score.method, score.samples) for score in scores}
    assert len(found) == len(scores)
    for target in TARGETS:
        assert (target.name, Method.SOURCE, 0) in found
        assert {(target.name, method, samples) for method in METHODS for samples in SAMPLES} <= found


def test_a_source_that_is_off_by_a_factor_is_set_right_by_few_samples(scores: list[Score]) -> None:
    def error(method: Method, samples: int) -> float:
        return float(np.mean([sum(s.errors) for s in scores if (s.method, s.samples) == (method, samples)]))

    assert error(Method.TRANSFERRED, 20) < 0.5 * error(Method.SOURCE, 0)
    assert error(Method.TRANSFERRED, 20) < error(Method.SCRATCH, 20)


def test_the_page_has_a_row_of_each_method_for_each_target(scores: list[Score]) -> None:
    page = transfer_page(transfer_values(STUDY, scores))
    for method in Method:
        assert page.count(f"\n| {method} | ") == len(TARGETS)


def test_a_study_is_written_as_a_page_with_its_picture_and_the_raw_scores(scores: list[Score], tmp_path: Path) -> None:
    page = write_study(tmp_path, STUDY, scores)
    assert (tmp_path / "toys.md").read_text() == page
    assert "](toys.png)" in page
    assert (tmp_path / "toys.png").read_bytes().startswith(b"\x89PNG")
    assert len(json.loads((tmp_path / "toys.json").read_text())["scores"]) == len(scores)


def test_a_metric_that_only_the_target_knows_is_learnt_of_its_samples_alone() -> None:
    """The source as it is and times a factor say nothing of it, and the page leaves their cells empty."""
    source, target = synthetic(1.0, 300), synthetic(3.0, 150)
    unknown = CostedPairs(source.features, source.costs * [1, np.nan])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "STEPS", 30)
        scores = run_seed(0, unknown, {"target": target})
    told = {score.method for score in scores if score.target == "target" and np.isfinite(score.errors[1])}
    assert told == set(METHODS) - {Method.SCALED}
    (row,) = (line for line in page_of(scores).splitlines() if line.startswith(f"| {Method.SCALED} |"))
    assert row.endswith("|  |  |  |")


def test_a_target_of_which_a_metric_is_known_of_no_pair_is_not_judged_by_it() -> None:
    target = synthetic(3.0, 150)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "STEPS", 30)
        scores = run_seed(0, synthetic(1.0, 300), {"target": CostedPairs(target.features, target.costs * [1, np.nan])})
    assert {np.isfinite(score.errors[1]) for score in scores if score.target == "target"} == {False}
    assert "energy, 10" not in page_of(scores)
    assert "cycles, 10" in page_of(scores)


def test_a_small_target_leaves_the_samples_a_pool() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "STEPS", 5)
        scores = run_seed(0, synthetic(1.0, 100), {"target": synthetic(3.0, 60)})
    assert {score.samples for score in scores if score.method is Method.RIDGE} == set(SAMPLES)


def page_of(scores: list[Score]) -> str:
    return transfer_page(transfer_values(replace(STUDY, targets=("target",)), scores))


def test_pairs_are_of_their_domain_different_and_always_the_same() -> None:
    for domain in (*SOURCES, *TARGETS):
        pairs = list(islice(random_pairs(ToySpace(), ACCELERATORS, domain), 50))
        assert pairs == list(islice(random_pairs(ToySpace(), ACCELERATORS, domain), 50))
        assert len(set(pairs)) == 50
        assert {pair.accelerator.dataflow for pair in pairs} == {domain.dataflow}


def test_the_targets_memory_is_slower_than_any_that_was_learnt() -> None:
    learnt = [domain.memory for domain in SOURCES]
    unseen = [domain.memory for domain in TARGETS if domain.memory not in learnt]
    assert unseen
    for memory in unseen:
        assert memory.latency_cycles > max(source.latency_cycles for source in learnt)
        assert memory.cycles_per_beat > max(source.cycles_per_beat for source in learnt)


def test_pairs_that_cannot_run_are_passed_over(tmp_path: Path) -> None:
    def cost(pair: Pair) -> Cost | None:
        return None if pair.accelerator.bus_bits == 32 else Cost(1, 1.0)

    with closing(CostLog(tmp_path / "costs.jsonl", cost)) as costs:
        found = costed_pairs(random_pairs(ToySpace(), ACCELERATORS, SOURCES[0]), costs, 30)
        assert len(found) == 30 < len(costs)
    assert all(pair.accelerator.bus_bits > 32 for pair, _ in found)


def test_a_data_set_without_accelerators_is_named_and_nothing_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("experiment", "transfer", "--space", "mbconv", "--dataset", "imagenet", "-o", out)
    assert_refused(capsys, *arguments, naming="imagenet has no accelerators")
    assert not out.exists()
