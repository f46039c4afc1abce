"""Joint search against its staged baselines on every task of a space, and each against the enumerated optimum."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from flows.accelerators import AcceleratorSpace
from flows.experiments.optimum import Optimum, optimum
from flows.experiments.pair_table import PairTable
from flows.experiments.staged import Method, Run, SearchSettings, run_method
from flows.experiments.task import Metric, Networks, Task, TaskOracle
from flows.pair_space import PairSpace
from hwgen.config import Dataflow

ACCELERATORS = AcceleratorSpace(
    rows=(8, 16),
    cols=(8, 16),
    dataflow=tuple(Dataflow),
    rf_depth=(16, 64),
    act_buffer_kib=(64, 128, 256),
    weight_buffer_kib=(32, 128),
    bus_bits=(64,),
    requant_lanes=(4,),
)
"""Those of a search on cifar10 thinned out until every pair can be costed: the small arrays and buffers, of which the
cost model is slow, are left out, and the memory's bus is the device's."""
LUT_EQUIVALENTS = 50_000
"""The device: half of ``ACCELERATORS`` fit, so arrays and buffers have to be traded for each other."""
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
