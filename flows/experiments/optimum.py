"""The best pair of a task by enumeration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from flows.experiments.pair_table import PairTable
from flows.experiments.task import Task
from flows.pairs.evaluation import Pair
from nas.accuracy import Accuracy


@dataclass(frozen=True)
class Optimum:
    """The least cost of a task, and a pair that has it."""

    cost: float
    pair: Pair


def optimum(table: PairTable, accuracies: Mapping[str, Accuracy], task: Task) -> Optimum:
    """Of all pairs of ``table``, whose accelerators fit; the table has every network that is accurate enough."""
    enough = np.array([accuracies[name].value >= task.accuracy for name in table.architectures])
    costs = np.where(enough, getattr(table, task.metric.value), np.inf)
    accelerator, network = np.unravel_index(np.argmin(costs), costs.shape)
    return Optimum(
        float(costs[accelerator, network]), Pair(table.architectures[network], table.accelerators[accelerator])
    )
