"""Trained networks that several tests share: small ones, on the digits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from nas.data import Dataset, load_dataset
from nas.spaces import Space, space, space_names
from nas.train import Trained, recipe, train_architecture

ARCHITECTURES_PER_SPACE = 2


@dataclass(frozen=True)
class Example:
    """A random architecture, trained briefly."""

    space: Space
    architecture: str
    trained: Trained


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small tensors train faster on one thread, and the results repeat."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_dataset("digits")


@pytest.fixture(scope="session")
def examples(digits) -> list[Example]:
    """A few architectures of every space."""
    result = []
    for name in space_names("digits"):
        space_ = space(name, "digits")
        rng = np.random.default_rng(5)
        for _ in range(ARCHITECTURES_PER_SPACE):
            architecture = space_.random(rng)
            trained = train_architecture(space_, architecture, digits, recipe("digits", 4))
            result.append(Example(space_, architecture, trained))
    return result
