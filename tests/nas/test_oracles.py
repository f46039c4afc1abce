"""Oracles: every accuracy names its tier and where it came from."""

import json

import numpy as np
import pytest
from torch import nn

from nas.files import DataError
from nas.oracles import (
    AccuracyTier,
    TrainedOracle,
    TrainedQuantisedOracle,
    ZeroCostOracle,
    tabular_oracle,
)
from nas.spaces import ArchitectureError, ImageShape, space, space_names
from nas.train import TrainConfig
from nas.zero_cost import SCORES, synflow

CONV = "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"
CONV_BEHIND_A_SKIP = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
CONSTANT = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


@pytest.fixture
def tables(tmp_path):
    """A data directory with tables of a few entries."""
    (tmp_path / "nasbench201.csv").write_text(
        f"index,arch,cifar10_test_acc,cifar100_test_acc\n0,{CONV},90.5,70.0\n1,{CONV_BEHIND_A_SKIP},91.0,71.0\n"
    )
    (tmp_path / "nas-bench-macro_cifar10.json").write_text(
        json.dumps({"01201202": {"mean_acc": 1.0}, "01210220": {"mean_acc": 89.0}})
    )
    return tmp_path


def test_a_table_answers_for_the_canonical_architecture(tables):
    oracle = tabular_oracle(space("nasbench201"), data_dir=tables)
    answers = [oracle.accuracy(architecture) for architecture in (CONV, CONV_BEHIND_A_SKIP)]
    assert [answer.value for answer in answers] == [0.905, 0.905]
    assert answers[0].tier is AccuracyTier.TABULAR
    assert "NAS-Bench-201" in answers[0].provenance
    assert tabular_oracle(space("macro"), data_dir=tables).accuracy("01201202").value == 0.89


def test_a_table_of_another_data_set_is_another_column(tables):
    assert tabular_oracle(space("nasbench201"), "cifar100", tables).accuracy(CONV).value == 0.7


def test_a_constant_network_has_no_accuracy(tables):
    with pytest.raises(ArchitectureError, match="constant output"):
        tabular_oracle(space("nasbench201"), data_dir=tables).accuracy(CONSTANT)


def test_a_table_that_does_not_exist_is_refused(tables, tmp_path):
    with pytest.raises(DataError, match=r"'mnist' is not in .*; accepted: cifar10, cifar100"):
        tabular_oracle(space("nasbench201"), "mnist", tables)
    for name in ("mbconv", "nasbench201-tiny"):
        with pytest.raises(DataError, match=f"{name} has no table for cifar10; accepted: nasbench201, or macro on"):
            tabular_oracle(space(name), "cifar10", tables)
    with pytest.raises(DataError, match=r"accepted: nasbench201\.csv"):
        tabular_oracle(space("nasbench201"), data_dir=tmp_path / "elsewhere")


def test_a_damaged_table_is_refused(tables):
    (tables / "nas-bench-macro_cifar10.json").write_text("{")
    with pytest.raises(DataError, match="is damaged"):
        tabular_oracle(space("macro"), data_dir=tables)
    (tables / "nasbench201.csv").write_text(f"index,arch,cifar10_test_acc\n0,{CONV},\n")
    with pytest.raises(DataError, match=r"nasbench201\.csv is damaged near line 2 .*; accepted: NAS-Bench-201"):
        tabular_oracle(space("nasbench201"), data_dir=tables)


HEADER = b"index,arch,cifar10_test_acc\n"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe" + HEADER,
        HEADER + b"0,caf\xe9,90.5\n",
        b"x" * 200_000,
        HEADER + b"0," + b"x" * 200_000 + b",90.5\n",
        HEADER + b"0\n",
    ],
    ids=["no UTF-8 header", "no UTF-8 row", "endless header", "endless field", "short row"],
)
def test_a_csv_that_cannot_be_read_is_refused(tables, content):
    (tables / "nasbench201.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"^table: .*nasbench201\.csv is damaged near line"):
        tabular_oracle(space("nasbench201"), data_dir=tables)


def test_a_table_without_the_architecture_says_which(tables):
    pool = CONV.replace("nor_conv_3x3", "avg_pool_3x3")
    with pytest.raises(DataError, match=r"has no entry for .*avg_pool_3x3~0"):
        tabular_oracle(space("nasbench201"), data_dir=tables).accuracy(pool)


def test_the_published_tables_are_read(data_dir):
    best = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    assert tabular_oracle(space("nasbench201"), data_dir=data_dir).accuracy(best).value == pytest.approx(
        0.9437, abs=1e-3
    )
    assert tabular_oracle(space("macro"), data_dir=data_dir).accuracy("22222222").value == pytest.approx(
        0.9295, abs=1e-4
    )


@pytest.mark.parametrize("name", ["nasbench201", "macro"])
def test_the_table_answers_for_every_architecture_drawn(name, data_dir):
    space_ = space(name)
    oracle = tabular_oracle(space_, data_dir=data_dir)
    rng = np.random.default_rng(0)
    assert all(0 < oracle.accuracy(space_.random(rng)).value < 1 for _ in range(50))


every_score = pytest.mark.parametrize("score", SCORES)


@every_score
def test_a_zero_cost_score_prefers_convolutions_to_a_pool(digits, score):
    oracle = ZeroCostOracle(space("nasbench201", "digits"), digits, score)
    pool = oracle.accuracy("|none~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|")
    convolutions = oracle.accuracy(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    )
    assert pool.value < convolutions.value
    assert pool.tier is AccuracyTier.ZERO_COST
    assert score in pool.provenance


@every_score
@pytest.mark.parametrize("name", space_names("digits"))
def test_a_score_is_finite_and_settled_by_the_seed(digits, score, name):
    space_ = space(name, "digits")
    architecture = space_.random(np.random.default_rng(2))
    first, again, other = (ZeroCostOracle(space_, digits, score, seed).accuracy(architecture) for seed in (0, 0, 1))
    assert first == again
    assert first.value != other.value
    assert np.isfinite(first.value)


def test_synaptic_flow_of_a_linear_network_is_that_of_its_paths():
    """A chain of single weights carries their product, once for each of them; signs, bounds and biases are nothing."""

    class Chain:
        image = ImageShape(1, 1)

        def build(self, _architecture):
            layers = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU6(), nn.Flatten(), nn.Linear(1, 1))
            for layer, weight in ((layers[0], -50.0), (layers[3], 3.0)):
                nn.init.constant_(layer.weight, weight)
                nn.init.zeros_(layer.bias)
            return layers

    assert synflow(Chain(), "", None, seed=0) == pytest.approx(np.log(2 * 50 * 3))


def test_training_and_quantising_say_so(digits):
    space_ = space("nasbench201", "digits")
    config = TrainConfig(epochs=2, batch_size=64)
    trained = TrainedOracle(space_, digits, config).accuracy(CONV)
    quantised = TrainedQuantisedOracle(space_, digits, config).accuracy(CONV_BEHIND_A_SKIP)
    assert (trained.tier, quantised.tier) == (AccuracyTier.TRAINED, AccuracyTier.TRAINED_QUANTISED)
    assert "2 epochs" in trained.provenance and "int8" in quantised.provenance
    assert abs(trained.value - quantised.value) <= 0.02
