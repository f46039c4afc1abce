"""Random pairs of one dataflow on one memory, with their modelled costs: what a predictor learns from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from flows.experiments.cost_log import CostLog
from flows.pairs.accelerator_space import AcceleratorSpace
from flows.pairs.evaluation import Cost, Pair
from flows.pairs.space import ArchitectureSpace, PairSpace
from hwgen.config import Dataflow
from hwgen.memory_model import DEFAULT_MEMORY, MemoryModel


@dataclass(frozen=True)
class Domain:
    """Accelerators of one dataflow on one memory: costs of one domain hold for another only in part."""

    name: str
    dataflow: Dataflow
    memory: MemoryModel


SHARED_MEMORY = MemoryModel(latency_cycles=150, cycles_per_beat=4)
"""A memory at the far end of an interconnect, a quarter of whose bandwidth is left."""

SOURCES = (
    Domain("os", Dataflow.OS, DEFAULT_MEMORY),
    Domain("os-close-memory", Dataflow.OS, MemoryModel(latency_cycles=8, cycles_per_beat=1)),
    Domain("os-half-bandwidth", Dataflow.OS, MemoryModel(latency_cycles=60, cycles_per_beat=2)),
    Domain("os-third-bandwidth", Dataflow.OS, MemoryModel(latency_cycles=100, cycles_per_beat=3)),
)
"""One dataflow on several memories, none as slow as the targets': on a single one a predictor cannot tell what a slower
one changes, and takes the time of transfers for a sign of what else they come with."""
TARGETS = (
    Domain("ws", Dataflow.WS, DEFAULT_MEMORY),
    Domain("rs", Dataflow.RS, DEFAULT_MEMORY),
    Domain("os-shared-memory", Dataflow.OS, SHARED_MEMORY),
    Domain("rs-shared-memory", Dataflow.RS, SHARED_MEMORY),
)


def random_pairs(architectures: ArchitectureSpace, accelerators: AcceleratorSpace, domain: Domain) -> Iterator[Pair]:
    """Different pairs of ``domain`` without end, uniform over genotypes, always the same ones."""
    space = PairSpace(architectures, replace(accelerators, dataflow=(domain.dataflow,)))
    sizes = space.problem(budget=1, population=1).gene_sizes
    rng = np.random.default_rng(list(domain.name.encode()))
    met: set[Pair] = set()
    while True:
        pair = space.pair(tuple(rng.integers(sizes).tolist()))
        if pair is not None and pair not in met:
            met.add(pair)
            yield pair


def costed_pairs(pairs: Iterator[Pair], costs: CostLog, count: int) -> list[tuple[Pair, Cost]]:
    """The first ``count`` of ``pairs`` that can run, with their costs."""
    found: list[tuple[Pair, Cost]] = []
    while len(found) < count:
        pair = next(pairs)
        cost = costs.cost(pair)
        if cost is not None:
            found.append((pair, cost))
    return found
