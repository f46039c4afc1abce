"""``cosynth experiment transfer``: pairs of every domain costed, predictors compared seed by seed, files written."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from rich.console import Console

from flows.experiments.cost_log import CostLog
from flows.experiments.transfer import CostedPairs, Score, joined, run_seed
from flows.experiments.transfer_pairs import SOURCES, TARGETS, Domain, costed_pairs, random_pairs
from flows.experiments.transfer_report import transfer_page, transfer_png, transfer_values
from flows.files import write_json
from flows.pairs.accelerator_space import ACCELERATOR_SPACES
from flows.pairs.cost_model import PairModel
from flows.pairs.evaluation import ENERGY_TABLE
from hwgen.errors import InputError
from hwgen.files import write_bytes
from nas.predictor.features import pair_features
from nas.spaces import Space
from nas.spaces import space as find_space


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

    Seed by seed, so that what is finished is comparable; the files are written anew after each seed. Costs that
    ``directory`` knows from an earlier run are not found again. Raises InputError where there is no such
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
    scores: list[Score] = []
    page = ""
    for seed in range(seeds):
        scores += run_seed(seed, source, targets)
        console.print(f"seed {seed} done", highlight=False)
        values = transfer_values(f"{space_name} x accelerator, {dataset}", source_pairs, target_pairs, scores)
        page = transfer_page(values)
        write_json(directory / "transfer.json", values)
        write_bytes(directory / "transfer.md", page.encode())
        write_bytes(directory / "transfer.png", transfer_png(values))
    return page


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
