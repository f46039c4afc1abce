"""Where a search's accuracies come from, and how the chosen network gets its final weights."""

from __future__ import annotations

import io
from functools import cached_property
from pathlib import Path
from typing import Protocol

import torch

from flows.files import write_bytes
from flows.settings import AccuracyTier, Settings
from nas.data import Dataset
from nas.spaces import Space
from nas.supernet import Supernet, train_supernet
from nas.train import Trained, fine_tune_recipe, recipe, train

SUPERNET = "supernet.pt"


class AccuracySource(Protocol):
    """An oracle for the search, and a trainer for the pair that it chooses."""

    tier: str

    def prepare(self) -> None:
        """What must be done once before accuracies can be had; finds in the run directory what was done already."""

    def accuracy(self, architecture: str) -> float:
        """The architecture's accuracy as a fraction."""

    def train(self, architecture: str) -> Trained:
        """The architecture's network with its final weights."""


def accuracy_source(run: Path, settings: Settings, space: Space, dataset: Dataset) -> AccuracySource:
    """The source that ``settings`` name. Raises InputError where its data is not to be had."""
    if settings.accuracy is AccuracyTier.TABULAR:
        return TabularSource(settings, space, dataset)
    return SupernetSource(run, settings, space, dataset)


class SupernetSource:
    """Validation accuracy with a supernet's shared weights; the chosen network starts from them and is fine-tuned."""

    tier = AccuracyTier.SUPERNET.value

    def __init__(self, run: Path, settings: Settings, space: Space, dataset: Dataset) -> None:
        self._path = run / SUPERNET
        self._settings = settings
        self._space = space
        self._dataset = dataset

    def prepare(self) -> None:
        if not self._path.exists():
            config = recipe(self._dataset.name, self._settings.supernet_epochs)
            supernet = train_supernet(self._space, self._dataset, config, seed=self._settings.seed)
            buffer = io.BytesIO()
            torch.save(supernet.parameters, buffer)
            write_bytes(self._path, buffer.getvalue())

    @cached_property
    def _supernet(self) -> Supernet:
        return Supernet(self._space, self._dataset, torch.load(self._path, weights_only=True))

    def accuracy(self, architecture: str) -> float:
        return self._supernet.accuracy(architecture)

    def train(self, architecture: str) -> Trained:
        config = fine_tune_recipe(self._dataset.name, self._settings.training_epochs)
        return train(self._supernet.extract(architecture), self._dataset, config, seed=self._settings.seed)


class TabularSource:
    """Accuracies that a benchmark measured; the chosen network is trained from scratch."""

    tier = AccuracyTier.TABULAR.value

    def __init__(self, settings: Settings, space: Space, dataset: Dataset) -> None:
        self._settings = settings
        self._space = space
        self._dataset = dataset
        self._oracle = tabular_oracle(settings.space, settings.dataset, settings.data_directory)

    def prepare(self) -> None:
        """Nothing: the table is complete."""

    def accuracy(self, architecture: str) -> float:
        return self._oracle.accuracy(architecture)

    def train(self, architecture: str) -> Trained:
        config = recipe(self._dataset.name, self._settings.training_epochs)
        return train(self._space.build(architecture), self._dataset, config, seed=self._settings.seed)
