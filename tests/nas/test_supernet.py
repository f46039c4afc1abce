"""The supernet: shared weights by name, fair sampling, and networks that inherit."""

from collections import Counter

import numpy as np
import pytest
import torch

from nas.oracles import AccuracyTier, SupernetOracle
from nas.spaces import SPACE_NAMES, space
from nas.supernet import Supernet, fair_architectures, recalibrate, train_supernet
from nas.train import TrainConfig, accuracy, train


@pytest.fixture(scope="module", params=["nasbench201", "mbconv"])
def supernet(request, digits) -> Supernet:
    config = TrainConfig(epochs=2, learning_rate=0.1, batch_size=64, shift=1)
    return train_supernet(space(request.param, "digits"), digits, config)


@pytest.mark.parametrize("name", SPACE_NAMES)
def test_every_alternative_is_drawn_as_often_as_any_other(name):
    """Over the macro space, where every genotype is legal and canonical strings keep the number of each digit."""
    space_ = space(name, "digits")
    drawn = fair_architectures(space_, np.random.default_rng(0))
    assert 1 <= len(drawn) <= max(space_.choices)
    if name == "macro":
        assert Counter("".join(drawn)) == {"0": 8, "1": 8, "2": 8}


def test_an_extracted_network_has_the_shared_weights(supernet):
    architecture = supernet.space.random(np.random.default_rng(0))
    for name, parameter in supernet.extract(architecture).named_parameters():
        shared = supernet.parameters[name]
        assert torch.equal(parameter, shared[tuple(slice(size) for size in parameter.shape)])


def test_shared_weights_beat_chance_and_name_their_tier(supernet):
    answer = SupernetOracle(supernet).accuracy(supernet.space.covering()[-2])
    assert answer.tier is AccuracyTier.SUPERNET
    assert answer.value > 0.3


def test_asking_twice_gives_the_same_accuracy(supernet):
    architecture = supernet.space.random(np.random.default_rng(1))
    assert supernet.accuracy(architecture) == supernet.accuracy(architecture)


def test_inherited_weights_are_a_head_start(supernet, digits):
    architecture = supernet.space.random(np.random.default_rng(2))
    config = TrainConfig(epochs=1, learning_rate=0.02, batch_size=64)
    inherited = train(supernet.extract(architecture), digits, config)
    scratch = train(supernet.space.build(architecture), digits, config)
    assert inherited.validation_accuracy > scratch.validation_accuracy


def test_recalibration_measures_the_statistics_of_the_images(digits):
    network = torch.nn.Sequential(torch.nn.BatchNorm2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 10))
    images = digits.train.take(512).inputs
    recalibrate(network, images)
    assert not network.training
    assert network[0].running_mean.item() == pytest.approx(images.mean().item(), rel=1e-4)
    assert accuracy(network, digits.test) == accuracy(network, digits.test)
