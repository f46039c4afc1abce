"""Scores of untrained networks beside a table of trained ones, on networks for digits and a table of random numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.experiments.zero_cost import (
    PARAMETERS,
    random_architectures,
    ranking,
    scored,
    zero_cost_png,
    zero_cost_table,
    zero_cost_values,
)
from nas.data import load_dataset
from nas.oracles import TabularOracle
from nas.spaces import space
from nas.zero_cost import SCORES
from tests.flows.test_cli import assert_refused

SPACE = space("nasbench201", "digits")
NETWORKS = 20


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    accuracies = np.random.default_rng(0).uniform(0.5, 0.9, NETWORKS).tolist()
    entries = dict(zip(random_architectures(SPACE, NETWORKS, seed=3), accuracies, strict=True))
    return list(scored(SPACE, load_dataset("digits").train, TabularOracle(SPACE, entries, "toy"), NETWORKS, seed=3))


def test_different_networks_are_drawn_by_the_seed() -> None:
    first, again, other = (random_architectures(SPACE, 30, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(set(first)) == 30


def test_every_network_has_every_score_and_its_entry(rows: list[dict[str, Any]]) -> None:
    assert len({row["architecture"] for row in rows}) == NETWORKS
    for row in rows:
        assert set(row["scores"]) == set(row["cpu_seconds"]) == {*SCORES, PARAMETERS}
        assert 0.5 <= row["accuracy"] <= 0.9


@pytest.mark.parametrize("sign", [1, -1])
def test_a_score_in_the_order_of_accuracies_correlates_wholly(rows: list[dict[str, Any]], sign: int) -> None:
    ordered = [{**row, "scores": {"order": sign * row["accuracy"] ** 3}, "cpu_seconds": {"order": 2.0}} for row in rows]
    found = ranking(ordered, "order")
    assert found["spearman"] == pytest.approx(sign)
    assert found["kendall"] == pytest.approx(sign)
    extreme = max if sign > 0 else min
    assert found["accuracy_of_highest"] == extreme(row["accuracy"] for row in rows)
    assert found["cpu_seconds"] == 2.0


def test_the_page_has_a_row_for_each_score(rows: list[dict[str, Any]]) -> None:
    values = zero_cost_values("toy", rows)
    page = zero_cost_table(values)
    for score in (*SCORES, PARAMETERS):
        assert f"| {score} | {values['rankings'][score]['spearman']:.3f} |" in page
    assert zero_cost_png(values).startswith(b"\x89PNG")


def test_a_space_without_a_table_is_named_and_nothing_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ("experiment", "zero-cost", "--space", "mbconv", "-o", tmp_path / "out")
    assert_refused(capsys, *arguments, naming="mbconv has no table for cifar10")
    assert not (tmp_path / "out").exists()
