"""The comparison of predictors, on pairs whose costs are made up."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from flows.experiments.cost_log import CostLog
from flows.experiments.transfer import METHODS, SAMPLES, CostedPairs, Method, Score, run_seed
from flows.experiments.transfer_pairs import SOURCES, TARGETS, costed_pairs, random_pairs
from flows.experiments.transfer_report import transfer_page, transfer_png, transfer_values
from flows.pairs.accelerator_space import ACCELERATOR_SPACES
from flows.pairs.evaluation import Cost, Pair
from nas.predictor import network
from tests.flows.fakes import ToySpace
from tests.flows.test_cli import assert_refused

ACCELERATORS = ACCELERATOR_SPACES["digits"]


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
    values = transfer_values("toy", 300, 150, scores)
    page = transfer_page(values)
    for method in Method:
        assert page.count(f"\n| {method} | ") == len(TARGETS)
    assert transfer_png(values).startswith(b"\x89PNG")


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
