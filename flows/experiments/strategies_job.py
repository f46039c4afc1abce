"""``cosynth experiment strategies``: every strategy with every seed, then the comparison's files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rich.console import Console

from flows.accelerators import ACCELERATOR_SPACES
from flows.experiments.oracle import PairOracle
from flows.experiments.strategies import run_strategy
from flows.experiments.strategies_report import comparison_png, comparison_table, comparison_values
from flows.files import write_json
from flows.pair_space import PairSpace
from flows.rtl_evaluator import RtlEvaluator
from hwgen.files import write_bytes
from nas.oracles import tabular_oracle
from nas.spaces import space as find_space
from nas.strategies import StrategyName

ORACLE = "oracle.jsonl"


def run_experiment(
    directory: Path,
    space_name: str,
    dataset: str,
    data_dir: Path | None,
    names: Sequence[StrategyName],
    budget: int,
    seeds: int,
    population: int,
    console: Console,
) -> str:
    """Compare ``names`` and write ``strategies.md``, ``.png`` and ``.json`` into ``directory``; returns the page.

    Seed by seed, so that what is finished is comparable; the files are written anew after each seed. Pairs that
    ``directory`` knows from an earlier run are not evaluated again. Raises InputError where there is no such table.
    """
    networks = find_space(space_name, dataset)
    evaluator = RtlEvaluator(networks, tabular_oracle(networks, dataset, data_dir))
    space = PairSpace(networks, ACCELERATOR_SPACES[dataset])
    directory.mkdir(parents=True, exist_ok=True)
    trajectories, page = [], ""
    with closing(PairOracle(directory / ORACLE, evaluator)) as oracle:
        for seed in range(seeds):
            for name in names:
                trajectories.append(run_strategy(name, seed, space, oracle, budget, population))
                console.print(f"seed {seed}: {name} done, {len(oracle)} different pairs in all", highlight=False)
            values = comparison_values(f"{space_name} x accelerator, {dataset}", trajectories)
            page = comparison_table(values)
            write_json(directory / "strategies.json", values)
            write_bytes(directory / "strategies.md", page.encode())
            write_bytes(directory / "strategies.png", comparison_png(values))
    return page
