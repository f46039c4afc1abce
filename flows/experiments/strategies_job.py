"""``cosynth experiment strategies``: every strategy with every seed, then the comparison's files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from rich.console import Console

from flows.experiments.accelerators import ACCELERATORS
from flows.experiments.cost_log import CostLog
from flows.experiments.oracle import PairOracle
from flows.experiments.pair_table import NEIGHBOURS
from flows.experiments.strategies import Trajectory, run_strategy, winner, yardstick
from flows.experiments.strategies_report import Winner, comparison_page, comparison_png, comparison_values
from flows.files import write_json
from flows.pairs.evaluation import Evaluator
from flows.pairs.rtl_evaluator import RtlEvaluator
from flows.pairs.space import PairSpace
from hwgen.files import write_bytes
from nas.oracles import tabular_oracle
from nas.spaces import space as find_space
from nas.strategies import StrategyName

DATASET = "cifar10"
ORACLE = "oracle.jsonl"
MEASURED = "measured.jsonl"


def run_experiment(
    directory: Path,
    space_name: str,
    data_dir: Path | None,
    names: Sequence[StrategyName],
    budget: int,
    seeds: int,
    population: int,
    console: Console,
) -> str:
    """Compare ``names`` and write ``strategies.md``, ``.png`` and ``.json`` into ``directory``; returns the page.

    Seed by seed, so that what is finished is comparable; the files are written anew after each seed, and when the
    winners were simulated. Pairs that ``directory`` knows from an earlier run are not evaluated again. Raises
    InputError where there is no such table.
    """
    networks = find_space(space_name, DATASET)
    evaluator = RtlEvaluator(networks, tabular_oracle(networks, DATASET, data_dir), neighbours=NEIGHBOURS)
    space = PairSpace(networks, ACCELERATORS)
    directory.mkdir(parents=True, exist_ok=True)
    trajectories: list[Trajectory] = []

    def write(winners: Sequence[Winner]) -> str:
        title = f"{space_name} x accelerator, {DATASET}"
        values = comparison_values(title, trajectories, oracle.cpu_seconds_per_pair, winners)
        page = comparison_page(values, "strategies.png")
        write_json(directory / "strategies.json", values)
        write_bytes(directory / "strategies.md", page.encode())
        write_bytes(directory / "strategies.png", comparison_png(values))
        return page

    with closing(PairOracle(directory / ORACLE, evaluator)) as oracle:
        for seed in range(seeds):
            for name in names:
                trajectories.append(run_strategy(name, seed, space, oracle, space.problem(budget, population)))
                console.print(f"seed {seed}: {name} done, {len(oracle)} different pairs in all", highlight=False)
            write([])
        return write(_measured_winners(directory / MEASURED, trajectories, oracle, evaluator))


def _measured_winners(
    path: Path, trajectories: Sequence[Trajectory], oracle: PairOracle, evaluator: Evaluator
) -> list[Winner]:
    """The winner of each strategy, simulated unless ``path`` knows it."""
    measure = yardstick(np.concatenate([run.objectives for run in trajectories]))
    found = []
    with closing(CostLog(path, evaluator.measured_cost)) as measured:
        for name in dict.fromkeys(run.strategy for run in trajectories):
            pair = winner(measure, [run for run in trajectories if run.strategy is name])
            if pair is not None:
                found.append(Winner(name, oracle.evaluation(pair), measured.cost(pair)))
    return found
