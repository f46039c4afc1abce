"""Data sets of small images, with a fixed split and where they came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from nas.cifar import load_cifar10_images
from nas.files import DataError

SPLIT_SEED = 0
CIFAR10_VALIDATION_FRACTION = 0.1


@dataclass(frozen=True, eq=False)
class Split:
    """Labelled images: uint8 [N, H, W, C] and int64 [N]."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, count: int) -> Split:
        """The first ``count`` images; their order is random, so these are a sample."""
        return Split(self.images[:count], self.labels[:count])

    @property
    def inputs(self) -> Tensor:
        """The images as networks read them: float32 [N, C, H, W] in [0, 1], channels last in memory.

        Convolutions keep to their operand's order, and train faster in this one.
        """
        pixels = torch.from_numpy(self.images).permute(0, 3, 1, 2)
        return pixels.float().div_(255).contiguous(memory_format=torch.channels_last)

    @property
    def targets(self) -> Tensor:
        """The labels, int64 [N]."""
        return torch.from_numpy(self.labels)


class HeldOut(StrEnum):
    """A part of a data set that no network is trained on."""

    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in three disjoint parts: ``validation`` steers the search, ``test`` is for what is reported."""

    name: str
    provenance: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split


def load_dataset(name: str, data_dir: Path | None = None) -> Dataset:
    """The data set ``name`` (``digits`` or ``cifar10``); ``data_dir`` is where CIFAR-10's files lie.

    Raises DataError where the name is not known or the files are not there.
    """
    loaders: dict[str, Callable[[], Dataset]] = {"digits": _digits, "cifar10": lambda: _cifar10(data_dir)}
    if name not in loaders:
        raise DataError(f"dataset: {name!r} is not known; accepted: {', '.join(loaders)}")
    return loaders[name]()


def _digits() -> Dataset:
    """The 1 797 handwritten digits of scikit-learn, 8x8: half for training, a quarter each to validate and to test."""
    pixels, labels = load_digits(return_X_y=True)
    images = np.rint(pixels * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
    train, rest = _stratified(Split(images, labels.astype(np.int64)), 0.5)
    validation, test = _stratified(rest, 0.5)
    return Dataset("digits", "scikit-learn digits (UCI)", tuple("0123456789"), train, validation, test)


def _cifar10(data_dir: Path | None) -> Dataset:
    images = load_cifar10_images(data_dir)
    everything = Split(images.train_images, images.train_labels)
    train, validation = _stratified(everything, CIFAR10_VALIDATION_FRACTION)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images.test_labels))
    test = Split(images.test_images[order], images.test_labels[order])
    return Dataset("cifar10", images.provenance, images.classes, train, validation, test)


def _stratified(split: Split, held_out: float) -> tuple[Split, Split]:
    """Two shuffled parts, the second a fraction ``held_out`` of each class."""
    kept, held = train_test_split(
        np.arange(len(split)), test_size=held_out, stratify=split.labels, random_state=SPLIT_SEED
    )
    return Split(split.images[kept], split.labels[kept]), Split(split.images[held], split.labels[held])
