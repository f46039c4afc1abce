"""Where a search's accuracies come from, and how the chosen network gets its final weights."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import torch

from flows.search.settings import Oracle, Settings
from hwgen.errors import InputError
from hwgen.files import replacing
from nas.data import Dataset, HeldOut
from nas.oracles import (
    AccuracyOracle,
    SupernetOracle,
    TrainedOracle,
    TrainedQuantisedOracle,
    ZeroCostOracle,
    tabular_oracle,
)
from nas.spaces import Space
from nas.strategies import StrategyName
from nas.supernet import Supernet, train_supernet
from nas.train import Trained, fine_tune, fine_tune_recipe, recipe, train_architecture

SUPERNET = "supernet.pt"
BELOW: dict[Oracle, tuple[Oracle, ...]] = {
    Oracle.NASWOT: (),
    Oracle.SYNFLOW: (),
    Oracle.TABULAR: (Oracle.SYNFLOW,),
    Oracle.SUPERNET: (Oracle.SYNFLOW,),
    Oracle.TRAINED: (Oracle.SYNFLOW, Oracle.SUPERNET),
    Oracle.TRAINED_QUANTISED: (Oracle.SYNFLOW, Oracle.SUPERNET),
}
"""The cheaper oracles that lead up to one, the cheapest first."""


class AccuracySource(Protocol):
    """An oracle for the search, and a trainer for the network that it chooses."""

    def prepare(self) -> None:
        """What must be done once before the oracle answers; what the run directory holds already is not done again."""

    @property
    def oracle(self) -> AccuracyOracle:
        """Answers once prepared. Raises InputError where what the run directory holds is damaged."""

    @property
    def unseen(self) -> HeldOut:
        """Which images the oracle does not look at, so that the chosen network's accuracy on them is an honest one."""

    def train(self, architecture: str) -> Trained:
        """The architecture's network with its final weights, by the seed for reporting."""


def accuracy_source(run: Path, settings: Settings, space: Space, dataset: Dataset) -> AccuracySource:
    """The source that ``settings`` name. Raises DataError where its data is not to be had."""
    if settings.accuracy is Oracle.SUPERNET:
        return SupernetSource(run, settings, space, dataset)
    unseen = HeldOut.VALIDATION if settings.accuracy is Oracle.TABULAR else HeldOut.TEST
    return ScratchSource(_oracle(settings, space, dataset), unseen, settings, space, dataset)


def screens(run: Path, settings: Settings, space: Space, dataset: Dataset) -> list[AccuracySource]:
    """The rungs below the oracle, the cheapest first, for the strategy that climbs; none for others."""
    if settings.strategy is not StrategyName.SUCCESSIVE:
        return []
    return [
        accuracy_source(run, replace(settings, accuracy=oracle, constraints=()), space, dataset)
        for oracle in BELOW[settings.accuracy]
    ]


def _oracle(settings: Settings, space: Space, dataset: Dataset) -> AccuracyOracle:
    """The oracle that needs no preparation."""
    seed, config = settings.selection_seed, recipe(dataset.name, settings.oracle_epochs)
    match settings.accuracy:
        case Oracle.TABULAR:
            return tabular_oracle(space, settings.dataset, settings.data_directory)
        case Oracle.NASWOT:
            return ZeroCostOracle(space, dataset, "naswot", seed)
        case Oracle.SYNFLOW:
            return ZeroCostOracle(space, dataset, "synflow", seed)
        case Oracle.TRAINED:
            return TrainedOracle(space, dataset, config, seed)
        case _:
            return TrainedQuantisedOracle(space, dataset, config, seed)


class SupernetSource:
    """Validation accuracy with a supernet's shared weights; the chosen network starts from them and is fine-tuned."""

    unseen = HeldOut.TEST

    def __init__(self, run: Path, settings: Settings, space: Space, dataset: Dataset) -> None:
        self._path = run / SUPERNET
        self._settings = settings
        self._space = space
        self._dataset = dataset

    def prepare(self) -> None:
        if not self._path.exists():
            config = recipe(self._dataset.name, self._settings.supernet_epochs)
            supernet = train_supernet(self._space, self._dataset, config, seed=self._settings.selection_seed)
            with replacing(self._path) as file:
                torch.save(supernet.parameters, file)

    @cached_property
    def oracle(self) -> SupernetOracle:
        try:
            parameters = torch.load(self._path, weights_only=True)
        except Exception as error:  # A damaged pickle may raise anything.
            raise InputError(f"run: {self._path} is damaged; delete it to have the supernet trained again") from error
        return SupernetOracle(Supernet(self._space, self._dataset, parameters))

    def train(self, architecture: str) -> Trained:
        config = fine_tune_recipe(self._dataset.name, self._settings.training_epochs)
        network = self.oracle.supernet.extract(architecture)
        return fine_tune(network, self._dataset, config, seed=self._settings.reporting_seed)


class ScratchSource:
    """An oracle that needs no preparation; the chosen network is trained from scratch."""

    def __init__(
        self, oracle: AccuracyOracle, unseen: HeldOut, settings: Settings, space: Space, dataset: Dataset
    ) -> None:
        self.oracle = oracle
        self.unseen = unseen
        self._settings = settings
        self._space = space
        self._dataset = dataset

    def prepare(self) -> None:
        """Nothing."""

    def train(self, architecture: str) -> Trained:
        config = recipe(self._dataset.name, self._settings.training_epochs)
        seed = self._settings.reporting_seed
        return train_architecture(self._space, architecture, self._dataset, config, seed=seed)
