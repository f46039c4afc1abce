"""The spaces by name, at the size that suits each data set."""

from __future__ import annotations

from nas.spaces.base import ArchitectureError, ImageShape, Space
from nas.spaces.macro import Macro
from nas.spaces.mbconv import MbConv, Stage
from nas.spaces.nasbench201 import NasBench201, TinyNasBench201

DIGITS = ImageShape(8, 1)
CIFAR10 = ImageShape(32, 3)
IMAGENET = ImageShape(224, 3)

_SPACES: dict[tuple[str, str], Space] = {
    ("nasbench201", "digits"): NasBench201(DIGITS, 10, channels=(8, 16, 32), cells=1),
    ("nasbench201", "cifar10"): NasBench201(CIFAR10, 10),
    ("nasbench201-tiny", "cifar10"): TinyNasBench201(CIFAR10, 10),
    ("macro", "digits"): Macro(DIGITS, 10, channels=8, features=64, strides=(1, 2, 2)),
    ("macro", "cifar10"): Macro(CIFAR10, 10),
    ("mbconv", "digits"): MbConv(
        DIGITS, 10, stem=8, stem_stride=1, features=64, stages=(Stage((8, 12), 1, 2), Stage((16, 24), 2, 2))
    ),
    ("mbconv", "cifar10"): MbConv(
        CIFAR10,
        10,
        stem=16,
        stem_stride=1,
        features=256,
        stages=(
            Stage((16, 24), 1, 3),
            Stage((24, 32, 40), 2, 3),
            Stage((48, 64, 80), 2, 3),
            Stage((96, 128), 1, 3),
        ),
    ),
    ("mbconv", "imagenet"): MbConv(
        IMAGENET,
        1000,
        stem=32,
        stem_stride=2,
        features=1280,
        stages=(
            Stage((16,), 1, 1),
            Stage((24, 32), 2, 4),
            Stage((32, 40, 56), 2, 4),
            Stage((64, 80), 2, 4),
            Stage((96, 112), 1, 4),
            Stage((160, 192), 2, 4),
            Stage((320,), 1, 1),
        ),
    ),
}


def space_names(dataset: str) -> tuple[str, ...]:
    """The spaces that have a size for ``dataset``."""
    return tuple(name for name, known in _SPACES if known == dataset)


def space(name: str, dataset: str = "cifar10") -> Space:
    """The space ``name`` at the size for ``dataset``. Raises ArchitectureError where there is none."""
    accepted = ", ".join(known for other, known in _SPACES if other == name)
    if not accepted:
        names = ", ".join(dict.fromkeys(known for known, _ in _SPACES))
        raise ArchitectureError(f"space: {name!r} is not known; accepted: {names}")
    if (name, dataset) not in _SPACES:
        raise ArchitectureError(f"dataset: {dataset!r} has no {name} space; accepted: {accepted}")
    return _SPACES[name, dataset]
