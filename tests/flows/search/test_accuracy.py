"""Choosing among networks and reporting the chosen one share neither a seed nor a part of the data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from flows.search.accuracy import SUPERNET, accuracy_source, screens
from flows.search.settings import Oracle, Settings
from hwgen.errors import InputError
from nas.accuracy import AccuracyTier
from nas.data import Dataset, HeldOut, Split, load_dataset
from nas.spaces import space
from nas.strategies import StrategyName
from nas.train import Trained

SPACE = space("nasbench201", "digits")
CELL = "|nor_conv_1x1~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
WITHOUT_A_TABLE = [oracle for oracle in Oracle if oracle is not Oracle.TABULAR]

every_oracle = pytest.mark.parametrize("oracle", WITHOUT_A_TABLE)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """Few of them, so that training is quick."""
    whole = load_dataset("digits")
    return replace(whole, train=whole.train.take(192), validation=whole.validation.take(96), test=whole.test.take(96))


def settings(oracle: Oracle, seed: int = 0) -> Settings:
    return Settings(accuracy=oracle, supernet_epochs=1, oracle_epochs=1, training_epochs=1, seed=seed)


def other_images(split: Split) -> Split:
    rng = np.random.default_rng(9)
    return Split(rng.permuted(split.images), rng.permuted(split.labels))


@every_oracle
def test_what_is_unseen_changes_no_answer(tmp_path: Path, digits: Dataset, oracle: Oracle) -> None:
    answers = []
    for number in range(2):
        source = accuracy_source(tmp_path / str(number), settings(oracle), SPACE, digits)
        (tmp_path / str(number)).mkdir()
        source.prepare()
        answers.append(source.oracle.accuracy(CELL))
        digits = replace(digits, **{source.unseen.value: other_images(getattr(digits, source.unseen))})
    assert answers[0] == answers[1]


def test_a_table_of_test_accuracies_leaves_the_validation_images(tmp_path: Path, digits: Dataset) -> None:
    row = "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|"
    (tmp_path / "nasbench201.csv").write_text(f"index,arch,cifar10_test_acc\n0,{row},90.5\n")
    tabular = replace(settings(Oracle.TABULAR), dataset="cifar10", data_dir=str(tmp_path))
    source = accuracy_source(tmp_path, tabular, space("nasbench201"), digits)
    assert source.unseen is HeldOut.VALIDATION
    assert "test" in source.oracle.accuracy(CELL).provenance


@every_oracle
@pytest.mark.parametrize("seed", [0, 1])
def test_the_chosen_network_is_trained_by_a_seed_of_its_own(
    tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch, oracle: Oracle, seed: int
) -> None:
    seeds: list[int] = []

    def remember(function: str) -> None:
        module, name = function.rsplit(".", 1)
        original = getattr(__import__(module, fromlist=[name]), name)

        def remembering(*arguments: Any, **options: Any) -> Trained:
            seeds.append(options["seed"])
            return original(*arguments, **options)

        monkeypatch.setattr(function, remembering)

    for function in ("fine_tune", "train_architecture", "train_supernet"):
        remember(f"flows.search.accuracy.{function}")
    remember("nas.oracles.train_architecture")
    source = accuracy_source(tmp_path, settings(oracle, seed), SPACE, digits)
    source.prepare()
    source.oracle.accuracy(CELL)
    chosen_by = [*seeds, getattr(source.oracle, "seed", 2 * seed)]
    seeds.clear()
    source.train(CELL)
    assert len(seeds) == 1
    assert set(chosen_by) == {settings(oracle, seed).selection_seed}
    assert seeds == [settings(oracle, seed).reporting_seed]


@pytest.mark.parametrize("kept", [0, 100, 1000])
def test_a_damaged_supernet_is_named_with_what_to_do(tmp_path: Path, digits: Dataset, kept: int) -> None:
    path = tmp_path / SUPERNET
    torch.save({"stem.weight": torch.ones(16, 3, 3, 3)}, path)
    path.write_bytes(path.read_bytes()[:kept])
    source = accuracy_source(tmp_path, settings(Oracle.SUPERNET), SPACE, digits)
    source.prepare()
    with pytest.raises(InputError, match=rf"^run: {path} is damaged; delete it to have the supernet trained again$"):
        _ = source.oracle


def test_only_the_strategy_that_climbs_has_rungs_below_the_oracle(tmp_path: Path, digits: Dataset) -> None:
    climbing = replace(settings(Oracle.TRAINED), strategy=StrategyName.SUCCESSIVE, constraints=("accuracy>=0.5",))
    rungs = screens(tmp_path, climbing, SPACE, digits)
    for rung in rungs:
        rung.prepare()
    assert [rung.oracle.tier for rung in rungs] == [AccuracyTier.ZERO_COST, AccuracyTier.SUPERNET]
    assert screens(tmp_path, replace(climbing, strategy=StrategyName.NSGA2), SPACE, digits) == []


def test_no_searchs_seed_for_choosing_is_anothers_for_reporting() -> None:
    searches = [Settings(seed=seed) for seed in range(100)]
    assert not {search.selection_seed for search in searches} & {search.reporting_seed for search in searches}
