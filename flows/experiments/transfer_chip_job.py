"""``cosynth experiment transfer-chip``: predictors of what implemented accelerators came to, and their page."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from rich.console import Console

from flows.characterisation.rows import read_rows
from flows.experiments.cost_log import CostLog
from flows.experiments.transfer import SAMPLES
from flows.experiments.transfer_chip import METRICS, expected_pairs, implemented_pairs
from flows.experiments.transfer_job import compared
from flows.experiments.transfer_report import Study
from flows.pairs.cost_model import PairModel
from flows.pairs.evaluation import ENERGY_TABLE
from hwgen.errors import InputError
from nas.spaces import space as find_space

TARGET = "implemented"
COSTS = "modelled.jsonl"
FEWEST_ROWS = max(SAMPLES) + 10
"""So that ten are held out where most are learnt from."""


def run_transfer_chip(
    directory: Path, space_name: str, dataset: str, rows: Path, source_pairs: int, seeds: int, console: Console
) -> str:
    """Compare predictors and write ``transfer-chip.md``, ``.png`` and ``.json`` into ``directory``; the page.

    Raises InputError where there is no such space, or too few ``rows``.
    """
    networks = find_space(space_name, dataset)
    known = list(read_rows(rows).values())
    if len(known) < FEWEST_ROWS:
        raise InputError(f"rows: {rows} has {len(known)}; accepted: {FEWEST_ROWS} or more")
    directory.mkdir(parents=True, exist_ok=True)
    model = PairModel(networks)
    with closing(CostLog(directory / COSTS, model.cost)) as costs:
        source = expected_pairs(networks, model, costs, source_pairs)
        console.print(f"{source_pairs} pairs modelled", highlight=False)
        target = implemented_pairs(networks, model, costs, known)
    routed = sum(row.routed is not None for row in known)
    study = Study(
        "transfer-chip",
        f"{space_name} on implemented accelerators, {dataset}",
        _introduction(source_pairs, len(known), routed),
        METRICS,
        (TARGET,),
    )
    return compared(directory, study, source, {TARGET: target}, seeds, console)


def _introduction(source_pairs: int, rows: int, routed: int) -> str:
    return (
        f"A multi-task network learns {source_pairs} random networks on as many accelerators of all dataflows, with "
        f"modelled cycles, the energy by the table `{ENERGY_TABLE.name}`, and the LUTs and flip-flops that the RTL "
        "lets expect before any accelerator was synthesised (`flows/characterisation/features.py`); of clocks it knows "
        f"nothing. It is adapted to {rows} accelerators that were implemented for an ECP5, each with a random "
        f"network: LUTs and flip-flops after synthesis, and Fmax of the {routed} that were placed and routed. "
        "Multipliers and block memories are known of the configuration."
    )
