"""A search goes on with what its front's accelerators came to on the device, in the place of what was modelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf, sqrt
from pathlib import Path

import pytest

from flows.characterisation.models import Resources
from flows.characterisation.shares import device_shares
from flows.implement.ecp5.devices import DEVICES
from flows.pairs.constraints import parse_constraint
from flows.pairs.evaluation import Cost, Evaluation, OnChip, Pair, Tier
from flows.pairs.evaluation_log import read_evaluations
from flows.pairs.objectives import Objectives
from flows.pairs.pareto import satisfies
from flows.search.chip_correction import OnChips, chip_correction, found_on_chip
from flows.search.front_implementation import Found, OnDevice
from hwgen.config import AcceleratorConfig, Dataflow
from nas.accuracy import AccuracyTier
from nas.strategies import StrategyName
from tests.flows.fakes import ToyEvaluator
from tests.flows.search.test_pair_search import run_search

DEVICE = DEVICES["ecp5-45k"]
FITS, SHARE = f"fits={DEVICE.name}", DEVICE.share_metric
MODELLED = Resources(20_000, 12_000, 20, 40)
OS, WS, RS = (AcceleratorConfig(dataflow=dataflow) for dataflow in Dataflow)


def evaluation(accelerator: AcceleratorConfig) -> Evaluation:
    pair = Pair("a network", accelerator)
    return Evaluation(pair, Tier.MODELLED, Cost(200_000, 1.0), 0.9, AccuracyTier.TABULAR, "a table", macs=400_000)


def found(lut: int, fmax_mhz: float | None) -> OnDevice:
    stage = "post-synthesis" if fmax_mhz is None else "placed and routed"
    return OnDevice(DEVICE.name, MODELLED, Found(stage, Resources(lut, 12_000, 20, 40), fmax_mhz), None)


def share(lut: float) -> float:
    return lut / DEVICE.lut


def test_an_accelerator_that_was_routed_has_its_own_clock_and_share() -> None:
    metrics = chip_correction(DEVICE, {OS: found(30_000, 80.0)})(evaluation(OS)).metrics(100)
    assert metrics["latency_ms"] == 200_000 / 80e3
    assert metrics["gmac_per_s"] == pytest.approx(400_000 / 2.5e-3 / 1e9)
    assert metrics[SHARE] == share(30_000)
    others = {name: value for name, value in device_shares(OS).items() if name != SHARE}
    assert others.items() <= metrics.items()


def test_another_has_the_mean_clock_and_its_modelled_share_in_the_mean_proportion() -> None:
    known = {OS: found(30_000, 80.0), WS: found(24_000, 125.0)}
    metrics = chip_correction(DEVICE, known)(evaluation(RS)).metrics(90)
    assert metrics["latency_ms"] == pytest.approx(200_000 / 100e3)
    proportions = [share(30_000) / device_shares(OS)[SHARE], share(24_000) / device_shares(WS)[SHARE]]
    assert metrics[SHARE] == pytest.approx(device_shares(RS)[SHARE] * sqrt(proportions[0] * proportions[1]))


def test_after_synthesis_alone_the_assumed_clock_holds() -> None:
    known = {OS: found(30_000, None)}
    for accelerator in (OS, WS):
        assert chip_correction(DEVICE, known)(evaluation(accelerator)).metrics(50)["latency_ms"] == 4.0


def test_one_that_was_refused_fits_no_more_and_says_nothing_of_others() -> None:
    known = {OS: replace(found(30_000, None), refused="not routed within 2 hours"), WS: found(24_000, 125.0)}
    correct = chip_correction(DEVICE, known)
    assert correct(evaluation(OS)).metrics(100)[SHARE] == inf
    assert correct(evaluation(RS)).on_chip == chip_correction(DEVICE, {WS: known[WS]})(evaluation(RS)).on_chip


def test_what_was_only_modelled_is_on_no_chip() -> None:
    assert found_on_chip(OS, OnDevice(DEVICE.name, MODELLED, None, None)) is None


class Chips:
    """A stand-in for the tools: the first ``refused`` accelerators asked for cannot be implemented."""

    def __init__(self, fmax_mhz: float, refused: int = 0) -> None:
        self._fmax_mhz, self._refused = fmax_mhz, refused
        self.made: dict[AcceleratorConfig, OnDevice] = {}

    def __call__(self, accelerators: Sequence[AcceleratorConfig]) -> OnChips:
        for accelerator in accelerators:
            refused = "no room" if len(self.made) < self._refused else None
            self.made.setdefault(accelerator, replace(found(20_000, self._fmax_mhz), refused=refused))
        return chip_correction(DEVICE, self.made)

    @property
    def refused(self) -> set[AcceleratorConfig]:
        return {accelerator for accelerator, on_device in self.made.items() if on_device.refused}


@pytest.mark.parametrize("strategy", [StrategyName.NSGA2, StrategyName.OPTIMIST])
def test_every_accelerator_of_the_front_was_implemented_and_none_of_it_refused(
    tmp_path: Path, strategy: StrategyName
) -> None:
    chips = Chips(120.0, refused=2)
    front = run_search(tmp_path / "log.jsonl", ToyEvaluator(), FITS, builds=6, strategy=strategy, implement=chips)
    assert front
    assert len(chips.refused) == 2
    assert {member.pair.accelerator for member in front} <= set(chips.made) - chips.refused
    assert {member.on_chip for member in front} == {OnChip(120.0, SHARE, share(20_000))}


def test_no_more_accelerators_are_implemented_than_may_be_built(tmp_path: Path) -> None:
    chips = Chips(120.0, refused=1)
    run_search(tmp_path / "log.jsonl", ToyEvaluator(), FITS, builds=3, implement=chips)
    assert 1 < len(chips.made) <= 3


def test_pairs_are_held_to_a_bound_on_latency_at_the_clock_that_was_found(tmp_path: Path) -> None:
    """At 100 MHz the bound would be missed by pairs that meet it at 200 MHz, whose accuracies are asked for now."""
    bounds = [parse_constraint("latency_ms<=0.1")]
    fast = run_search(tmp_path / "fast.jsonl", ToyEvaluator(), str(bounds[0]), FITS, implement=Chips(200.0))
    slow = run_search(tmp_path / "slow.jsonl", ToyEvaluator(), str(bounds[0]), FITS, implement=Chips(100.0))
    assert all(satisfies(member, bounds, 100) for member in (*fast, *slow))
    beyond = [member for member in fast if not satisfies(replace(member, on_chip=None), bounds, 100)]
    assert beyond
    assert all(member.accuracy_tier is AccuracyTier.TABULAR for member in beyond)
    assert max(member.accuracy for member in fast) > max(member.accuracy for member in slow)


def test_objectives_are_at_the_clock_that_was_found(tmp_path: Path) -> None:
    by_rate = Objectives(100, ("gmac_per_s",))
    front = run_search(tmp_path / "log.jsonl", ToyEvaluator(), FITS, objectives=by_rate, implement=Chips(200.0))
    for member in front:
        assert member.macs is not None and member.cycles is not None
        assert by_rate.vector(member)[1] == pytest.approx(-member.macs / member.cycles * 0.2)


def test_an_interrupted_search_implements_nothing_again_and_ends_at_the_same_front(tmp_path: Path) -> None:
    whole, torn = tmp_path / "whole.jsonl", tmp_path / "torn.jsonl"
    chips = Chips(120.0, refused=1)
    front = run_search(whole, ToyEvaluator(), FITS, builds=6, implement=chips)
    content = whole.read_bytes()
    torn.write_bytes(content[: len(content) // 2])
    made = dict(chips.made)
    assert run_search(torn, ToyEvaluator(), FITS, builds=6, implement=chips) == front
    assert chips.made == made
    assert read_evaluations(torn) == read_evaluations(whole)
