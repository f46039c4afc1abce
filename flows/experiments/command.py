"""``cosynth experiment NAME``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nas.strategies import StrategyName

experiments = typer.Typer(add_completion=False, rich_markup_mode=None)


@experiments.callback()
def _experiment() -> None:
    """Compare methods: each experiment leaves a table, a plot and the raw data."""


@experiments.command()
def strategies(
    space: Annotated[str, typer.Option(help="a network space with a table: nasbench201 or macro")] = "nasbench201",
    data_dir: Annotated[
        Path | None, typer.Option(help="where the table lies; else the directory that COSYNTH_DATA names")
    ] = None,
    strategy: Annotated[list[StrategyName] | None, typer.Option(help="compare only these")] = None,
    budget: Annotated[int, typer.Option(min=1, help="proposals of a run")] = 200,
    seeds: Annotated[int, typer.Option(min=1, help="runs of each strategy, with seeds from 0")] = 10,
    population: Annotated[int, typer.Option(min=4, help="proposals of a generation")] = 20,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="where to write; pairs evaluated there are not again")
    ] = Path("runs/strategies"),
) -> None:
    """Hypervolume of each strategy against evaluations and against time, on modelled cycles and tabular accuracies."""
    from flows.experiments.strategies_job import run_experiment

    names = tuple(dict.fromkeys(strategy or StrategyName))
    page = run_experiment(output, space, data_dir, names, budget, seeds, population, Console(stderr=True))
    _print(page)


@experiments.command("zero-cost")
def zero_cost(
    dataset: Annotated[str, typer.Option(help="data set of the table and of the images: cifar10")] = "cifar10",
    space: Annotated[str, typer.Option(help="a network space with a table: nasbench201 or macro")] = "nasbench201",
    data_dir: Annotated[
        Path | None, typer.Option(help="where table and images lie; else the directory that COSYNTH_DATA names")
    ] = None,
    networks: Annotated[int, typer.Option(min=10, max=1000, help="random networks to score")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="of the networks and of their first weights")] = 0,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="where to write")] = Path(
        "runs/zero-cost"
    ),
) -> None:
    """Rank correlation of scores of untrained networks with a table of trained ones."""
    from flows.experiments.zero_cost_job import run_experiment

    page = run_experiment(output, space, dataset, data_dir, networks, seed)
    _print(page)


@experiments.command()
def joint_vs_staged(
    space: Annotated[list[str] | None, typer.Option(help="only these network spaces: macro, nasbench201")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="where the tables lie; else the directory that COSYNTH_DATA names")
    ] = None,
    strategy: Annotated[StrategyName, typer.Option(help="of every stage")] = StrategyName.NSGA2,
    budget: Annotated[int, typer.Option(min=16, help="evaluations of a run")] = 400,
    seeds: Annotated[int, typer.Option(min=1, help="runs of each method on each task, with seeds from 0")] = 10,
    population: Annotated[int, typer.Option(min=4, help="proposals of a generation")] = 20,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="where to write; pairs costed there are not again")
    ] = Path("runs/joint-vs-staged"),
) -> None:
    """Energy and latency at equal accuracy: joint search, staged searches and the enumerated optimum."""
    from flows.experiments.joint_vs_staged_job import run_experiment
    from flows.experiments.staged import SearchSettings

    names = tuple(dict.fromkeys(space or ("macro", "nasbench201")))
    settings = SearchSettings(strategy, budget, population)
    page = run_experiment(output, names, data_dir, settings, seeds, Console(stderr=True))
    _print(page)


@experiments.command()
def transfer(
    dataset: Annotated[str, typer.Option(help="data set that networks and accelerators are sized for")] = "digits",
    space: Annotated[str, typer.Option(help="network space: nasbench201, macro or mbconv")] = "nasbench201",
    source_pairs: Annotated[int, typer.Option(min=100, help="pairs of the dataflow that is learnt first")] = 1000,
    target_pairs: Annotated[int, typer.Option(min=150, help="pairs of each other domain, samples among them")] = 300,
    seeds: Annotated[int, typer.Option(min=1, help="repetitions, with seeds from 0")] = 10,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="where to write; costs found there are not again")
    ] = Path("runs/transfer"),
) -> None:
    """Errors of cost predictors on an unseen dataflow or memory, by the number of samples of it."""
    from flows.experiments.transfer_job import run_transfer

    page = run_transfer(output, space, dataset, source_pairs, target_pairs, seeds, Console(stderr=True))
    _print(page)


def _print(page: str) -> None:
    Console().print(page, soft_wrap=True, highlight=False, markup=False)
