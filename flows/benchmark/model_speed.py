"""How fast the cost model is on networks of NAS-Bench-201's size, and what composing them of layers costs in accuracy.

``python -m flows.benchmark.model_speed`` prints both.
"""

from __future__ import annotations

import time

import numpy as np

from flows.pairs.accelerator_space import ACCELERATOR_SPACES
from hwgen.actions import action_counts
from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig
from hwgen.cost_table import CostTable
from hwgen.cycles import predict
from hwgen.energy import EYERISS_65NM, energy_uj
from hwgen.graph import LayerGraph
from hwgen.program import Program
from nas.quantise import structure
from nas.spaces.registry import space

NETWORKS = 8
ACCELERATORS = 6
REPETITIONS = 100


def random_networks(rng: np.random.Generator, count: int) -> list[LayerGraph]:
    """Networks of NAS-Bench-201 at its own size."""
    nasbench201 = space("nasbench201", "cifar10")
    networks: list[LayerGraph] = []
    while len(networks) < count:
        genotype = [int(rng.integers(choices)) for choices in nasbench201.choices]
        if nasbench201.is_legal(genotype):
            networks.append(structure(nasbench201, nasbench201.decode(genotype)))
    return networks


def random_accelerators(rng: np.random.Generator, count: int) -> list[AcceleratorConfig]:
    """Accelerators that a search on CIFAR-10 chooses from."""
    accelerators = ACCELERATOR_SPACES["cifar10"]
    return [accelerators.decode([int(rng.integers(size)) for size in accelerators.gene_sizes]) for _ in range(count)]


def whole_costs(program: Program) -> tuple[float, float]:
    """Cycles and microjoules of a program."""
    config = program.config
    return predict(program).cycles, energy_uj(action_counts(program), config, EYERISS_65NM)


def main() -> None:
    """Model every network on every accelerator, whole and composed, and time composing them again."""
    rng = np.random.default_rng(0)
    networks, configs = random_networks(rng, NETWORKS), random_accelerators(rng, ACCELERATORS)
    began = time.perf_counter()
    whole = np.array([[whole_costs(compile_graph(graph, config)) for config in configs] for graph in networks])
    whole_seconds = time.perf_counter() - began

    table = CostTable()
    began = time.perf_counter()
    costs = [table.costs(graph, configs) for graph in networks]
    first_seconds = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(REPETITIONS):
        for graph in networks:
            table.costs(graph, configs).energy_uj(EYERISS_65NM)
    again_seconds = (time.perf_counter() - began) / REPETITIONS

    composed = np.array([(cost.cycles, cost.energy_uj(EYERISS_65NM)) for cost in costs]).swapaxes(1, 2)
    errors = np.abs(composed / whole - 1).reshape(-1, 2)
    pairs = len(errors)
    print(f"{pairs / whole_seconds:.1f} networks per second compiled and modelled whole")
    print(f"{pairs / first_seconds:.1f} networks per second composed of layers that are not known yet")
    rate = pairs / again_seconds
    print(f"{rate:.0f} networks per second composed of known layers, on {len(configs)} accelerators at once")
    for name, error in zip(("cycles", "energy"), errors.T, strict=True):
        print(f"{name} composed against whole: {error.mean():.2%} mean error, {error.max():.2%} largest")


if __name__ == "__main__":
    main()
