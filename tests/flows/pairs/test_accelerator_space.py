"""Every combination that a search can propose stands for an accelerator."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from flows.accelerators import config_from_values, config_values
from flows.pairs.accelerator_space import ACCELERATOR_SPACES, AcceleratorSpace, distance
from hwgen.config import Dataflow

DATASETS = sorted(ACCELERATOR_SPACES)


def sizes(space: AcceleratorSpace) -> dict[str, tuple[int, ...]]:
    """The choices of each field but the dataflow, which is no size."""
    return {name: choices for name, choices in vars(space).items() if name != "dataflow"}


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_dataflow_can_be_found(dataset: str) -> None:
    space = ACCELERATOR_SPACES[dataset]
    assert set(space.dataflow) == set(Dataflow)
    smallest = space.decode([0] * len(space.gene_sizes))
    others = [replace(smallest, dataflow=dataflow) for dataflow in Dataflow if dataflow is not smallest.dataflow]
    assert all(distance(smallest, other) > 0 for other in others)


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_combination_is_a_legal_accelerator(dataset: str) -> None:
    space = ACCELERATOR_SPACES[dataset]
    for genes in product(*map(range, space.gene_sizes)):
        config = space.decode(genes)
        assert config.rows in space.rows
        assert config.cols in space.cols
        assert config.requant_lanes <= config.cols


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_last_choice_of_each_field_is_the_largest_accelerator(dataset: str) -> None:
    space = ACCELERATOR_SPACES[dataset]
    largest = space.decode([size - 1 for size in space.gene_sizes])
    ordered = zip(vars(space), space.ordered_genes, strict=True)
    assert [name for name, is_ordered in ordered if is_ordered] == list(sizes(space))
    for name, choices in sizes(space).items():
        assert choices == tuple(sorted(set(choices)))
        assert getattr(largest, name) == choices[-1]
    assert config_from_values(config_values(largest)) == largest
    assert distance(largest, largest) == 0


def test_larger_images_may_have_larger_accelerators() -> None:
    digits, cifar = (ACCELERATOR_SPACES[name] for name in ("digits", "cifar10"))
    for name, choices in sizes(cifar).items():
        assert choices[-1] >= getattr(digits, name)[-1]
    assert (cifar.rows[-1], cifar.cols[-1]) == (16, 16)
