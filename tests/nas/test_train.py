"""Training: it learns, it repeats, and augmentation only moves pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nas.data import Split
from nas.spaces import space
from nas.train import TrainConfig, accuracy, augment, fine_tune, recipe, train_architecture

CONV = "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"


def test_a_few_epochs_learn_the_digits(digits):
    trained = train_architecture(space("nasbench201", "digits"), CONV, digits, recipe("digits", 8))
    assert trained.test_accuracy > 0.9
    assert accuracy(trained.network, digits.test) == trained.test_accuracy


def test_the_same_seed_trains_the_same_network(digits):
    space_ = space("nasbench201", "digits")
    config = TrainConfig(epochs=1, batch_size=64, shift=1, mirror=True)
    first, second, other = (train_architecture(space_, CONV, digits, config, seed=seed).network for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(("learning_rate", "kept"), [(0.05, False), (100.0, True)])
def test_fine_tuning_keeps_the_weights_of_before_where_they_classify_better(digits, learning_rate, kept):
    network = train_architecture(space("nasbench201", "digits"), CONV, digits, recipe("digits", 2)).network
    before = [parameter.clone() for parameter in network.parameters()]
    tuned = fine_tune(network, digits, TrainConfig(epochs=3, learning_rate=learning_rate, batch_size=64))
    after = tuned.network.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True)) is kept
    assert tuned.validation_accuracy == accuracy(tuned.network, digits.validation)
    assert tuned.test_accuracy == accuracy(tuned.network, digits.test)


@given(shift=st.integers(0, 3), mirror=st.booleans(), seed=st.integers(0, 100))
def test_augmented_images_are_shifted_and_mirrored_originals(shift, mirror, seed):
    images = torch.rand(5, 2, 6, 6, generator=torch.Generator().manual_seed(seed))
    config = TrainConfig(epochs=1, shift=shift, mirror=mirror)
    augmented = augment(images, config, torch.Generator().manual_seed(seed))
    padded = torch.nn.functional.pad(images, (shift,) * 4)
    for original, image in zip(padded, augmented, strict=True):
        candidates = [
            window[:, row : row + 6, column : column + 6]
            for window in ([original, original.flip(2)] if mirror else [original])
            for row in range(2 * shift + 1)
            for column in range(2 * shift + 1)
        ]
        assert any(torch.equal(candidate, image) for candidate in candidates)


def test_images_are_channels_last_in_memory_before_and_after_augmentation(digits):
    """Colour images, as a single channel lies the same either way."""
    images = Split(np.repeat(digits.train.images[:5], 3, axis=3), digits.train.labels[:5]).inputs
    augmented = augment(images, TrainConfig(epochs=1, shift=2, mirror=True), torch.Generator().manual_seed(0))
    for tensor in (images, augmented):
        assert tensor.shape == (5, 3, 8, 8)
        assert tensor.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("epochs", [1, 7])
def test_a_recipe_takes_the_epochs_it_is_given(epochs):
    assert recipe("digits", epochs).epochs == epochs
