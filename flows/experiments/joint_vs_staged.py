"""Joint search against its staged baselines on every task of a space, and each against the enumerated optimum."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from flows.experiments.optimum import Optimum, optimum
from flows.experiments.pair_table import PairTable
from flows.experiments.staged import Method, Run, SearchSettings, run_method
from flows.experiments.task import Metric, Networks, Task, TaskOracle
from flows.pairs.space import PairSpace

LUT_EQUIVALENTS = 50_000
"""The device: half of the experiments' accelerators fit, so arrays and buffers have to be traded for each other."""
BELOW_BEST = (0.0025, 0.005, 0.0075, 0.01)
"""Accuracies that are asked for, as distances from that of the space's most accurate network."""


@dataclass(frozen=True, eq=False)
class TaskResult:
    """What the methods found for one task."""

    task: Task
    optimum: Optimum
    runs: dict[Method, list[Run]]
    """By seed from 0."""


def tasks(networks: Networks) -> list[Task]:
    """Every metric at every accuracy, the highest first."""
    levels = [networks.best - distance for distance in BELOW_BEST]
    return [Task(metric, level, LUT_EQUIVALENTS) for metric, level in product(Metric, levels)]


def run_task(
    task: Task, space: PairSpace, networks: Networks, table: PairTable, settings: SearchSettings, seeds: int
) -> TaskResult:
    """Every method with every seed."""
    oracle = TaskOracle(space, networks, table, task)
    runs = {method: [run_method(method, oracle, settings, seed) for seed in range(seeds)] for method in Method}
    return TaskResult(task, optimum(table, networks.accuracies, task), runs)
