"""``cosynth experiment transfer``: pairs of every domain costed, predictors compared seed by seed, files written."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
from rich.console import Console

from flows.experiments.cost_log import CostLog
from flows.experiments.transfer import CostedPairs, Score, joined, run_seed
from flows.experiments.transfer_pairs import SOURCES, TARGETS, Domain, costed_pairs, random_pairs
from flows.experiments.transfer_report import Study, write_study
from flows.pairs.accelerator_space import ACCELERATOR_SPACES
from flows.pairs.cost_model import PairModel
from flows.pairs.evaluation import ENERGY_TABLE
from hwgen.errors import InputError
from nas.predictor.features import pair_features
from nas.spaces import Space
from nas.spaces import space as find_space

METRICS = ("cycles", "energy")


def run_transfer(
    directory: Path,
    space_name: str,
    dataset: str,
    source_pairs: int,
    target_pairs: int,
    seeds: int,
    console: Console,
) -> str:
    """Compare predictors and write ``transfer.md``, ``.png`` and ``.json`` into ``directory``; returns the page.

    Costs that ``directory`` knows from an earlier run are not found again. Raises InputError where there is no such
    space, or no accelerators for ``dataset``.
    """
    networks = find_space(space_name, dataset)
    if dataset not in ACCELERATOR_SPACES:
        raise InputError(f"dataset: {dataset} has no accelerators; accepted: {', '.join(ACCELERATOR_SPACES)}")
    directory.mkdir(parents=True, exist_ok=True)
    shares = [len(part) for part in np.array_split(np.arange(source_pairs), len(SOURCES))]
    sources = [
        _pairs(directory, networks, dataset, domain, share, console)
        for domain, share in zip(SOURCES, shares, strict=True)
    ]
    source = joined(sources)
    targets = {domain.name: _pairs(directory, networks, dataset, domain, target_pairs, console) for domain in TARGETS}
    title = f"{space_name} x accelerator, {dataset}"
    study = Study("transfer", title, _introduction(source_pairs, target_pairs), METRICS, tuple(targets))
    return compared(directory, study, source, targets, seeds, console)


def compared(
    directory: Path,
    study: Study,
    source: CostedPairs,
    targets: Mapping[str, CostedPairs],
    seeds: int,
    console: Console,
) -> str:
    """The page of all seeds, written anew after each, so that what is finished can be read."""
    scores: list[Score] = []
    page = ""
    for seed in range(seeds):
        scores += run_seed(seed, source, targets)
        console.print(f"seed {seed} done", highlight=False)
        page = write_study(directory, study, scores)
    return page


def _introduction(source_pairs: int, target_pairs: int) -> str:
    memories = "; ".join(
        f"`{domain.name}`: {domain.dataflow.value}, memory of {domain.memory.latency_cycles} cycles' latency and "
        f"{domain.memory.cycles_per_beat} cycle(s) a beat"
        for domain in (*SOURCES, *TARGETS)
    )
    return (
        "A multi-task network learns the cycles and the energy of random pairs of one dataflow on several memories, "
        f"{', '.join(f'`{domain.name}`' for domain in SOURCES)}, and is adapted to other dataflows and to a slower "
        f"memory, of which it never saw a pair, with few samples of each. There are {source_pairs} source pairs, as "
        f"many of each memory, and {target_pairs} of each target. Domains: {memories}. Cycles are modelled "
        f"(`hwgen/cost_table.py`), energy is an estimate by the table `{ENERGY_TABLE.name}`."
    )


def _pairs(directory: Path, networks: Space, dataset: str, domain: Domain, count: int, console: Console) -> CostedPairs:
    model = PairModel(networks, domain.memory)
    pairs = random_pairs(networks, ACCELERATOR_SPACES[dataset], domain)
    with closing(CostLog(directory / f"{domain.name}.jsonl", model.cost)) as costs:
        found = costed_pairs(pairs, costs, count)
    features = [
        pair_features(model.graph(pair.architecture), pair.accelerator, domain.memory, ENERGY_TABLE)
        for pair, _ in found
    ]
    console.print(f"{domain.name}: {count} pairs", highlight=False)
    return CostedPairs(np.array(features), np.array([(cost.cycles, cost.energy_uj) for _, cost in found], float))
