"""``cosynth experiment NAME``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.search.settings import Depth, Settings
from nas.strategies import StrategyName

CONSTRAINTS = ("latency_ms<=5", "multipliers<=16", "fits=ecp5-25k", "share_of_ecp5_25k<=0.9")
"""What ``end-to-end`` asks for by default: 200 images a second on a small device, with room left."""

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


@experiments.command()
def dance(
    space: Annotated[str, typer.Option(help="a network space with a table: nasbench201 or macro")] = "nasbench201",
    data_dir: Annotated[
        Path | None, typer.Option(help="where the table lies; else the directory that COSYNTH_DATA names")
    ] = None,
    learnt: Annotated[int, typer.Option(min=1, help="networks whose costs are learnt beforehand")] = 350,
    held_out: Annotated[int, typer.Option(min=2, help="further networks, that the evaluator is tested on")] = 100,
    budget: Annotated[int, typer.Option(min=1, help="proposals of dance")] = 200,
    rl_budget: Annotated[int, typer.Option(min=1, help="proposals of rl")] = 2000,
    seeds: Annotated[int, typer.Option(min=1, help="runs of each, with seeds from 0")] = 10,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="where to write; pairs costed there are not again")
    ] = Path("runs/dance"),
) -> None:
    """DANCE with its evaluator trained beforehand on costs, against rl."""
    from flows.experiments.dance_job import run_dance

    page = run_dance(output, space, data_dir, learnt, held_out, budget, rl_budget, seeds, Console(stderr=True))
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
    strategy: Annotated[StrategyName, typer.Option(help="of every stage")] = StrategyName.OPTIMIST,
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
    source_pairs: Annotated[int, typer.Option(min=100, help="pairs of the domains that are learnt first")] = 1000,
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


@experiments.command("transfer-chip")
def transfer_chip(
    rows: Annotated[
        Path | None, typer.Option(metavar="ROWS.jsonl", help="what `characterise` implemented; else the repository's")
    ] = None,
    dataset: Annotated[str, typer.Option(help="data set that networks are sized for")] = "digits",
    space: Annotated[str, typer.Option(help="network space: nasbench201, macro or mbconv")] = "nasbench201",
    source_pairs: Annotated[int, typer.Option(min=100, help="pairs with modelled costs, learnt first")] = 500,
    seeds: Annotated[int, typer.Option(min=1, help="repetitions, with seeds from 0")] = 10,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="where to write; costs found there are not again")
    ] = Path("runs/transfer-chip"),
) -> None:
    """Errors of predictors of resources and clock, by the number of accelerators that were implemented."""
    from flows.characterisation.rows import ROWS
    from flows.experiments.transfer_chip_job import run_transfer_chip

    _print(run_transfer_chip(output, space, dataset, rows or ROWS, source_pairs, seeds, Console(stderr=True)))


@experiments.command()
def end_to_end(
    constraint: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC<=BOUND", help=f"what the pair must meet; else {', '.join(CONSTRAINTS)}"),
    ] = None,
    space: Annotated[str, typer.Option(help="network space")] = "nasbench201-tiny",
    dataset: Annotated[str, typer.Option(help="digits or cifar10")] = "cifar10",
    data_dir: Annotated[
        Path | None, typer.Option(help="where the data set's files lie; else the directory that COSYNTH_DATA names")
    ] = None,
    clock_mhz: Annotated[float, typer.Option(help="clock at which latencies are stated")] = 80.0,
    budget: Annotated[int, typer.Option(help="pairs proposed")] = 200,
    population: Annotated[int, typer.Option(help="pairs per round, after which the front is measured")] = 20,
    builds: Annotated[int, typer.Option(help="accelerators built and simulated")] = 2,
    supernet_epochs: Annotated[int, typer.Option(help="of the supernet's training")] = 3,
    training_epochs: Annotated[int, typer.Option(help="of the chosen network's training")] = 10,
    verified_images: Annotated[int, typer.Option(help="test images that the pair classifies in RTL simulation")] = 100,
    implement: Annotated[
        Depth,
        typer.Option(help="how far: routed synthesises the front's accelerators and makes the chosen one's bitstream"),
    ] = Depth.ROUTED,
    seed: Annotated[int, typer.Option(help="of everything that is drawn at random")] = 0,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="where to write; what is finished there is not repeated"),
    ] = Path("runs/end-to-end"),
) -> None:
    """One pair from constraints to bitstream: searched, trained, quantised, verified in RTL, implemented."""
    from flows.experiments.end_to_end_job import run_end_to_end

    settings = Settings(
        space=space,
        dataset=dataset,
        data_dir=None if data_dir is None else str(data_dir.resolve()),
        budget=budget,
        population=population,
        builds=builds,
        constraints=tuple(constraint or CONSTRAINTS),
        clock_mhz=clock_mhz,
        implement=Depth.SYNTHESISED if implement is Depth.ROUTED else implement,
        supernet_epochs=supernet_epochs,
        training_epochs=training_epochs,
        verified_images=verified_images,
        seed=seed,
    )
    _print(run_end_to_end(output, settings, implement, Console(stderr=True)))


def _print(page: str) -> None:
    Console().print(page, soft_wrap=True, highlight=False, markup=False)
