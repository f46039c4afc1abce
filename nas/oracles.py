"""How accurate an architecture is, and how that is known: every accuracy carries its tier and provenance."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nas.accuracy import Accuracy, AccuracyTier
from nas.data import Dataset
from nas.deploy import deploy
from nas.files import DataError, find_file
from nas.spaces import Space
from nas.supernet import Supernet
from nas.train import TrainConfig, train_architecture
from nas.zero_cost import SCORES


class AccuracyOracle(Protocol):
    """Answers for every canonical architecture of its space; raises ArchitectureError for others."""

    @property
    def tier(self) -> AccuracyTier:
        """The tier of every answer."""

    def accuracy(self, architecture: str) -> Accuracy:
        """The architecture's accuracy."""


@dataclass(frozen=True, eq=False)
class TabularOracle:
    """A benchmark's table. A cell's entry is that of its canonical string."""

    space: Space
    table: dict[str, float] = field(repr=False)
    provenance: str
    tier = AccuracyTier.TABULAR

    def accuracy(self, architecture: str) -> Accuracy:
        canonical = self.space.canonical(architecture)
        if canonical not in self.table:
            raise DataError(f"table: {self.provenance} has no entry for {canonical}; accepted: a whole table")
        return Accuracy(self.table[canonical], self.tier, self.provenance)


@dataclass(frozen=True, eq=False)
class ZeroCostOracle:
    """A score of the untrained network, by its name in ``nas.zero_cost.SCORES``."""

    space: Space
    dataset: Dataset
    score: str
    seed: int = 0
    tier = AccuracyTier.ZERO_COST

    def accuracy(self, architecture: str) -> Accuracy:
        score = SCORES[self.score](self.space, self.space.canonical(architecture), self.dataset.train, self.seed)
        return Accuracy(score, self.tier, f"{self.score} score of the untrained network, {self.dataset.provenance}")


@dataclass(frozen=True, eq=False)
class SupernetOracle:
    """Validation accuracy with the weights that a supernet shares."""

    supernet: Supernet
    tier = AccuracyTier.SUPERNET

    def accuracy(self, architecture: str) -> Accuracy:
        value = self.supernet.accuracy(self.supernet.space.canonical(architecture))
        return Accuracy(value, self.tier, f"shared weights, {self.supernet.dataset.provenance} validation images")


@dataclass(frozen=True, eq=False)
class TrainedOracle:
    """Validation accuracy after training from scratch."""

    space: Space
    dataset: Dataset
    config: TrainConfig
    seed: int = 0
    tier = AccuracyTier.TRAINED

    def accuracy(self, architecture: str) -> Accuracy:
        canonical = self.space.canonical(architecture)
        trained = train_architecture(self.space, canonical, self.dataset, self.config, seed=self.seed)
        return Accuracy(trained.validation_accuracy, self.tier, _trained_provenance(self.dataset, self.config))


@dataclass(frozen=True, eq=False)
class TrainedQuantisedOracle:
    """Validation accuracy of the int8 network after training from scratch."""

    space: Space
    dataset: Dataset
    config: TrainConfig
    seed: int = 0
    tier = AccuracyTier.TRAINED_QUANTISED

    def accuracy(self, architecture: str) -> Accuracy:
        canonical = self.space.canonical(architecture)
        trained = train_architecture(self.space, canonical, self.dataset, self.config, seed=self.seed)
        deployed = deploy(trained.network, self.dataset, f"{self.space.name}:{canonical}")
        provenance = f"int8 after {_trained_provenance(self.dataset, self.config)}"
        return Accuracy(deployed.validation_accuracy, self.tier, provenance)


def tabular_oracle(space: Space, dataset: str = "cifar10", data_dir: Path | None = None) -> TabularOracle:
    """The benchmark's table for a space at the benchmark's size.

    NAS-Bench-201 (``nasbench201.csv``) has ``cifar10``, ``cifar100`` and ``imagenet16``; NAS-Bench-Macro
    (``nas-bench-macro_cifar10.json``) has ``cifar10``. They lie in ``data_dir`` (by default the directory that
    COSYNTH_DATA names) or its folder ``data``. Raises DataError where there is no such table.
    """
    if space.name == "nasbench201":
        return TabularOracle(space, _read_nasbench201(data_dir, dataset), f"NAS-Bench-201, {dataset} test, 200 epochs")
    if space.name == "macro" and dataset == "cifar10":
        return TabularOracle(space, _read_macro(data_dir), "NAS-Bench-Macro, cifar10 test, mean of 3 seeds")
    raise DataError(f"space: {space.name} has no table for {dataset}; accepted: nasbench201, or macro on cifar10")


def _read_nasbench201(data_dir: Path | None, dataset: str) -> dict[str, float]:
    column = f"{dataset}_test_acc"
    path = find_file(("nasbench201.csv",), data_dir)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        try:
            columns = reader.fieldnames or ()
            if column not in columns or "arch" not in columns:
                accepted = ", ".join(name.removesuffix("_test_acc") for name in columns if name.endswith("_test_acc"))
                raise DataError(f"dataset: {dataset!r} is not in {path}; accepted: {accepted}")
            return {row["arch"]: float(row[column]) / 100 for row in reader}
        except DataError:
            raise
        except (csv.Error, ValueError, TypeError) as error:  # ValueError where it is not UTF-8, too
            raise DataError(
                f"table: {path} is damaged near line {reader.line_num} ({error}); accepted: NAS-Bench-201's CSV file"
            ) from error


def _read_macro(data_dir: Path | None) -> dict[str, float]:
    path = find_file(("nas-bench-macro_cifar10.json",), data_dir)
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {architecture: entry["mean_acc"] / 100 for architecture, entry in entries.items()}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise DataError(f"table: {path} is damaged ({error!r}); accepted: NAS-Bench-Macro's JSON file") from error


def _trained_provenance(dataset: Dataset, config: TrainConfig) -> str:
    return f"{config.epochs} epochs, {dataset.provenance} validation images"
