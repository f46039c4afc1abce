"""``cosynth experiment dance``: the cost-estimation network, then the searches with every seed, and their page."""

from __future__ import annotations

import time
from contextlib import closing
from math import inf
from pathlib import Path

from rich.console import Console

from flows.experiments.accelerators import ACCELERATORS
from flows.experiments.dance import COSTED, METRICS, costed_pairs, dance_page, dance_png, dance_values, taus
from flows.experiments.oracle import PairOracle
from flows.experiments.pair_table import NEIGHBOURS, pair_table
from flows.experiments.strategies import run_strategy
from flows.experiments.strategies_job import DATASET, ORACLE
from flows.experiments.task import fitting_accelerators
from flows.experiments.zero_cost import random_architectures
from flows.files import write_json
from flows.pairs.rtl_evaluator import RtlEvaluator
from flows.pairs.space import PairSpace
from hwgen.files import write_bytes
from nas.oracles import tabular_oracle
from nas.spaces import space as find_space
from nas.strategies import StrategyName
from nas.strategies.cost_network import CostNetwork

COSTS = "evaluator.jsonl"
SEED = 0
"""Of the networks that are costed beforehand, and of the training."""
POPULATION = 20


def run_dance(
    directory: Path,
    space_name: str,
    data_dir: Path | None,
    learnt: int,
    held_out: int,
    budget: int,
    rl_budget: int,
    seeds: int,
    console: Console,
) -> str:
    """Learn from ``learnt`` networks' costs, compare, and write ``dance.md``, ``.png`` and ``.json``; the page.

    What ``directory`` knows from an earlier run is not costed again. Raises InputError where there is no such table.
    """
    networks = find_space(space_name, DATASET)
    evaluator = RtlEvaluator(networks, tabular_oracle(networks, DATASET, data_dir), neighbours=NEIGHBOURS)
    space = PairSpace(networks, ACCELERATORS)
    directory.mkdir(parents=True, exist_ok=True)
    costs = pair_table(
        directory / COSTS,
        networks,
        random_architectures(networks, learnt + held_out, SEED),
        fitting_accelerators(space, inf),
        lambda done: console.print(f"{done} accelerators costed", highlight=False),
    )
    known, unseen = (
        costed_pairs(space, networks, costs, part) for part in (slice(learnt), slice(learnt, learnt + held_out))
    )
    began = time.process_time()
    cost_network = CostNetwork(space.problem(budget, POPULATION), networks.executed, len(METRICS))
    cost_network.learn(known.genes, known.logarithms, SEED)
    found = {
        "networks": learnt,
        "accelerators": len(costs.accelerators),
        "pairs": len(known.genes),
        "costing_cpu_seconds": round(costs.cpu_seconds, 1),
        "training_cpu_seconds": round(time.process_time() - began, 1),
        "held_out_networks": held_out,
        "held_out_pairs": len(unseen.genes),
        "taus": taus(cost_network, unseen),
    }
    trajectories = []
    with closing(PairOracle(directory / ORACLE, evaluator)) as oracle:
        for seed in range(seeds):
            problem = space.problem(budget, POPULATION, costs=cost_network, costed=COSTED)
            trajectories.append(run_strategy(StrategyName.DANCE, seed, space, oracle, problem))
            problem = space.problem(rl_budget, POPULATION)
            trajectories.append(run_strategy(StrategyName.RL, seed, space, oracle, problem))
            console.print(f"seed {seed}: done, {len(oracle)} different pairs in all", highlight=False)
    values = dance_values(f"{space_name} x accelerator, {DATASET}", found, trajectories)
    page = dance_page(values, "dance.png")
    write_json(directory / "dance.json", values)
    write_bytes(directory / "dance.md", page.encode())
    write_bytes(directory / "dance.png", dance_png(values))
    return page
