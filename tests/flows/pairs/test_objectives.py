"""What pairs are compared by."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest

from flows.pairs.constraints import METRICS
from flows.pairs.evaluation import Cost, Evaluation, Pair, Tier
from flows.pairs.objectives import Objectives
from flows.pairs.pareto import pareto_front
from hwgen.config import AcceleratorConfig
from nas.accuracy import AccuracyTier

PAIR = Evaluation(
    Pair("one", AcceleratorConfig(rows=8, cols=8)),
    Tier.MEASURED,
    Cost(cycles=20_000, energy_uj=12.5),
    0.9,
    AccuracyTier.SUPERNET,
    "test images",
    macs=1_000_000,
)


def test_costs_are_minimised_and_accuracies_and_rates_maximised() -> None:
    assert Objectives(100, ("cycles", "energy_uj", "gmac_per_s")).vector(PAIR) == (-0.9, 20_000, 12.5, -5.0)


def test_all_but_accuracy_is_compared_by_proportion() -> None:
    objectives = Objectives(100, ("energy_uj", "gmac_per_s"))
    assert objectives.proportional(PAIR) == pytest.approx((-0.9, log(12.5), -log(5.0)))


@pytest.mark.parametrize("metric", [metric for metric in METRICS if metric != "accuracy"])
def test_any_metric_that_can_be_bounded_can_be_an_objective(metric: str) -> None:
    objectives = Objectives(100, (metric,))
    faster = replace(PAIR, cost=Cost(cycles=10_000, energy_uj=6.0), pair=Pair("one", AcceleratorConfig(rows=4, cols=4)))
    assert pareto_front([PAIR, faster], objectives) == [faster]


def test_what_no_objective_asks_for_does_not_keep_a_pair_in_the_front() -> None:
    frugal = replace(PAIR, cost=Cost(cycles=30_000, energy_uj=6.0))
    assert pareto_front([PAIR, frugal], Objectives(100, ("energy_uj",))) == [frugal]
    assert pareto_front([PAIR, frugal], Objectives(100, ("cycles",))) == [PAIR]
    assert pareto_front([PAIR, frugal], Objectives(100, ("cycles", "energy_uj"))) == [PAIR, frugal]
