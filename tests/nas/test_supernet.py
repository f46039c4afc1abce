"""The supernet: shared weights by name, fair sampling, and networks that inherit."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from nas.batch_norm import recalibrate
from nas.oracles import AccuracyTier, SupernetOracle
from nas.spaces import space, space_names
from nas.supernet import Supernet, fair_architectures, train_supernet
from nas.train import TrainConfig, accuracy, train

CONVOLUTIONS = "|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|nor_conv_3x3~0|skip_connect~1|skip_connect~2|"
CONFIG = TrainConfig(epochs=2, learning_rate=0.1, batch_size=64, shift=1)


@pytest.fixture(scope="module")
def supernet(digits) -> Supernet:
    return train_supernet(space("nasbench201", "digits"), digits, CONFIG)


@pytest.fixture(scope="module", params=space_names("digits"))
def barely_trained(request, digits) -> Supernet:
    """A supernet of each space after two steps."""
    return train_supernet(space(request.param, "digits"), replace(digits, train=digits.train.take(64)), CONFIG)


@pytest.mark.parametrize("name", space_names("digits"))
def test_every_alternative_is_drawn_as_often_as_any_other(name):
    """Counted in the macro space, where every genotype is legal and canonical strings keep the number of each digit."""
    space_ = space(name, "digits")
    drawn = fair_architectures(space_, np.random.default_rng(0))
    assert 1 <= len(drawn) <= max(space_.choices)
    if name == "macro":
        assert Counter("".join(drawn)) == {"0": 8, "1": 8, "2": 8}


def test_an_extracted_network_has_the_first_channels_of_the_shared_weights(barely_trained):
    architecture = barely_trained.space.random(np.random.default_rng(0))
    for name, parameter in barely_trained.extract(architecture).named_parameters():
        shared = barely_trained.parameters[name]
        assert torch.equal(parameter, shared[tuple(slice(size) for size in parameter.shape)])


def test_shared_weights_beat_chance_and_name_their_tier(supernet):
    answer = SupernetOracle(supernet).accuracy(CONVOLUTIONS)
    assert answer.tier is AccuracyTier.SUPERNET
    assert answer.value > 0.3


def test_training_moves_every_parameter(barely_trained):
    """All but those that only constant or canonically equal networks would have used."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        space_ = barely_trained.space
        untrained = {}
        for architecture in space_.covering():
            for name, parameter in space_.build(architecture).named_parameters():
                untrained.setdefault(name, parameter.detach())
    assert untrained.keys() == barely_trained.parameters.keys()
    moved = [not torch.equal(untrained[name], shared) for name, shared in barely_trained.parameters.items()]
    assert np.mean(moved) > 0.8


def test_asking_twice_gives_the_same_accuracy(barely_trained):
    architecture = barely_trained.space.random(np.random.default_rng(1))
    assert barely_trained.accuracy(architecture) == barely_trained.accuracy(architecture)


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
