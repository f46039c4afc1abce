"""``cosynth experiment joint-vs-staged``: pairs costed, every method on every task, then the comparison's files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from math import isfinite
from pathlib import Path
from typing import Any

from rich.console import Console

from flows.accelerators import config_values
from flows.experiments.accelerators import ACCELERATORS
from flows.experiments.cost_log import CostLog
from flows.experiments.joint_vs_staged import BELOW_BEST, LUT_EQUIVALENTS, TaskResult, run_task, tasks
from flows.experiments.joint_vs_staged_plot import comparison_png
from flows.experiments.joint_vs_staged_report import comparison_page
from flows.experiments.pair_table import pair_table
from flows.experiments.staged import Method, Run, SearchSettings
from flows.experiments.task import Metric, all_networks, fitting_accelerators
from flows.experiments.whole_model import whole_cost
from flows.files import write_json
from flows.pairs.evaluation import Cost, Pair
from flows.pairs.space import PairSpace
from hwgen.area import lut_equivalents
from hwgen.files import write_bytes
from nas.oracles import TabularOracle, tabular_oracle
from nas.spaces import space as find_space

DATASET = "cifar10"
Check = Callable[[Pair], Cost | None]
"""A pair's cost by the whole model."""


def run_experiment(
    directory: Path,
    space_names: Sequence[str],
    data_dir: Path | None,
    settings: SearchSettings,
    seeds: int,
    console: Console,
) -> str:
    """Compare the methods, write ``joint-vs-staged-SPACE.md``, ``.png`` and ``.json`` into ``directory``.

    Returns the pages. Costs that ``directory`` knows from an earlier run are not modelled again. Raises InputError
    where a space has no table of accuracies, or the files in ``directory`` are of others.
    """
    oracles = [tabular_oracle(find_space(name, DATASET), DATASET, data_dir) for name in space_names]
    directory.mkdir(parents=True, exist_ok=True)
    pages = []
    for oracle in oracles:
        values = _space_values(directory, oracle, settings, seeds, console)
        name = f"joint-vs-staged-{oracle.space.name}"
        pages.append(comparison_page(values, f"{name}.png"))
        write_json(directory / f"{name}.json", values)
        write_bytes(directory / f"{name}.png", comparison_png(values))
        write_bytes(directory / f"{name}.md", pages[-1].encode())
    return "\n".join(pages)


def _space_values(
    directory: Path, oracle: TabularOracle, settings: SearchSettings, seeds: int, console: Console
) -> dict[str, Any]:
    """The comparison on one space, as JSON values."""
    name, space = oracle.space.name, PairSpace(oracle.space, ACCELERATORS)
    networks = all_networks(space, oracle)
    accelerators = fitting_accelerators(space, LUT_EQUIVALENTS)

    def report(done: int) -> None:
        console.print(f"{name}: {done} of {len(accelerators)} accelerators costed", highlight=False)

    enough = networks.at_least(networks.best - max(BELOW_BEST))
    table = pair_table(directory / f"costs-{name}.jsonl", oracle.space, enough, accelerators, report)
    found = []
    with closing(CostLog(directory / f"whole-{name}.jsonl", lambda pair: whole_cost(oracle.space, pair))) as whole:
        for task in tasks(networks):
            found.append(task_values(run_task(task, space, networks, table, settings, seeds), whole.cost))
            console.print(f"{name}: {task.metric} at {task.accuracy:.2%} done", highlight=False)
    return {
        "space": name,
        "strategy": settings.strategy.value,
        "budget": settings.budget,
        "population": settings.population,
        "seeds": seeds,
        "lut_equivalents": LUT_EQUIVALENTS,
        "accelerator_space": {name: [str(value) for value in choices] for name, choices in vars(ACCELERATORS).items()},
        "best_accuracy": networks.best,
        "networks": len(networks.accuracies),
        "accelerators": len(accelerators),
        "costed_networks": len(table.architectures),
        "costing_cpu_seconds": round(table.cpu_seconds, 1),
        "tasks": found,
    }


def task_values(result: TaskResult, check: Check) -> dict[str, Any]:
    """``check`` is asked of the optimum and of the best pair of joint search."""
    task, best = result.task, result.optimum
    joint = min(result.runs[Method.JOINT], key=lambda run: run.best[-1])
    winners = {best.pair: best.cost}
    if joint.pair is not None:
        winners[joint.pair] = joint.best[-1]
    return {
        "metric": task.metric.value,
        "accuracy": task.accuracy,
        "optimum": {"cost": best.cost, **_pair_values(best.pair)},
        "methods": {method.value: [_run_values(run) for run in runs] for method, runs in result.runs.items()},
        "whole_model": [
            {**_pair_values(pair), "cost": cost, "whole": _metric(check(pair), task.metric)}
            for pair, cost in winners.items()
        ],
    }


def _run_values(run: Run) -> dict[str, Any]:
    """Its last cost is None where nothing was found that does."""
    improvements = [
        (evaluation, cost)
        for evaluation, (cost, before) in enumerate(zip(run.best, [float("inf"), *run.best], strict=False), start=1)
        if cost < before
    ]
    last = run.best[-1]
    return {
        "evaluations": run.spent,
        "cost": last if isfinite(last) else None,
        "improvements": improvements,
        **({} if run.pair is None else _pair_values(run.pair)),
    }


def _metric(cost: Cost | None, metric: Metric) -> float | None:
    return None if cost is None else getattr(cost, metric.value)


def _pair_values(pair: Pair) -> dict[str, Any]:
    return {
        "architecture": pair.architecture,
        "accelerator": config_values(pair.accelerator),
        "lut_equivalents": lut_equivalents(pair.accelerator),
    }
