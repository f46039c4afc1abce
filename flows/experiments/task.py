"""A task: the cheapest pair that is accurate enough and fits the device, answered from a table of all pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from math import inf, log, nan

import numpy as np

from flows.experiments.pair_table import PairTable
from flows.pairs.constraints import Constraint
from flows.pairs.space import PairSpace
from hwgen.area import lut_equivalents
from hwgen.config import AcceleratorConfig
from nas.accuracy import Accuracy
from nas.oracles import AccuracyOracle
from nas.strategies import Genes, Outcome


class Metric(StrEnum):
    """What is minimised."""

    ENERGY = "energy_uj"
    CYCLES = "cycles"


@dataclass(frozen=True)
class Task:
    """The pair with the least ``metric`` of those that are accurate enough and fit the device."""

    metric: Metric
    accuracy: float
    """At least."""
    lut_equivalents: float
    """At most."""

    @property
    def network_constraint(self) -> Constraint:
        return Constraint("accuracy", ">=", self.accuracy)

    @property
    def accelerator_constraint(self) -> Constraint:
        return Constraint("lut_equivalents", "<=", self.lut_equivalents)


@dataclass(frozen=True, eq=False)
class Networks:
    """Every network of a space by its genes, with its accuracy."""

    names: dict[Genes, str]
    """Only of genes that are a network; several genes may be the same one."""
    accuracies: dict[str, Accuracy]

    @property
    def best(self) -> float:
        """The accuracy of the most accurate one."""
        return max(accuracy.value for accuracy in self.accuracies.values())

    def at_least(self, accuracy: float) -> list[str]:
        """Those that are so accurate, in order."""
        return sorted(name for name, found in self.accuracies.items() if found.value >= accuracy)


def all_networks(space: PairSpace, oracle: AccuracyOracle) -> Networks:
    """The networks of ``space``. Raises DataError where the oracle has no accuracy of one."""
    networks = space.architectures
    names = {genes: networks.decode(genes) for genes in genotypes(networks.choices) if networks.is_legal(genes)}
    return Networks(names, {name: oracle.accuracy(name) for name in dict.fromkeys(names.values())})


def fitting_accelerators(space: PairSpace, bound: float) -> list[AcceleratorConfig]:
    """The different accelerators of ``space`` with at most so many LUT equivalents."""
    decoded = dict.fromkeys(map(space.accelerators.decode, genotypes(space.accelerators.gene_sizes)))
    return [config for config in decoded if lut_equivalents(config) <= bound]


def genotypes(sizes: Sequence[int]) -> Iterator[Genes]:
    """Every combination of genes, in order."""
    return product(*map(range, sizes))


class TaskOracle:
    """Answers what a method asks on the way to a task's pair."""

    def __init__(self, space: PairSpace, networks: Networks, table: PairTable, task: Task) -> None:
        self.space = space
        self.task = task
        self._networks = networks
        self._column = {name: index for index, name in enumerate(table.architectures)}
        self._row = {config: index for index, config in enumerate(table.accelerators)}
        self._costs: np.ndarray = getattr(table, task.metric.value)

        self.fitting = [
            genes for genes in genotypes(space.accelerators.gene_sizes) if self.fits(space.accelerators.decode(genes))
        ]
        """Genes of the accelerators that fit."""

    def fits(self, accelerator: AcceleratorConfig) -> bool:
        """Whether the device is large enough."""
        return accelerator in self._row

    def name(self, network: Genes) -> str | None:
        """The network of the genes; None where they are none."""
        return self._networks.names.get(network)

    def accuracy(self, network: Genes) -> float:
        """The network's accuracy; 0 of genes that are none."""
        name = self.name(network)
        return 0.0 if name is None else self._networks.accuracies[name].value

    def reaches(self, network: Genes) -> bool:
        """Whether the network is accurate enough."""
        return self.accuracy(network) >= self.task.accuracy

    def is_costed(self, network: Genes) -> bool:
        """Whether the table has the network."""
        return self.name(network) in self._column

    def excess(self, accelerator: Genes) -> float:
        """By how much, relative to its bound, the device is too small; negative where there is room."""
        area = lut_equivalents(self.space.accelerators.decode(accelerator))
        return self.task.accelerator_constraint.violation({"lut_equivalents": area})

    def cost(self, network: Genes, accelerator: Genes) -> float:
        """Of an accelerator that fits; infinite where it cannot run the network, or the table does not have that."""
        if not self.is_costed(network):
            return inf
        row = self._row[self.space.accelerators.decode(accelerator)]
        return float(self._costs[row, self._column[self._networks.names[network]]])

    def outcome(self, genes: Genes) -> Outcome:
        """What a strategy is told of a pair: the logarithm of its cost, and by how much area and accuracy are missed.

        An accelerator that does not fit is turned away before any accuracy is asked for; and the table does not have
        the cost of every network that is not accurate enough.
        """
        split = len(self.space.architectures.choices)
        network, accelerator = genes[:split], genes[split:]
        if self.name(network) is None:
            return Outcome(genes, None)
        area = self.excess(accelerator)
        if area > 0:
            return Outcome(genes, None, (area, nan))
        accuracy = self.task.network_constraint.violation({"accuracy": self.accuracy(network)})
        cost = self.cost(network, accelerator)
        return Outcome(genes, (log(cost),) if cost < inf else None, (area, accuracy))
