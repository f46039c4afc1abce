"""The comparison of strategies as a table, a plot and raw data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from flows.experiments.strategies import (
    CONFIDENCE,
    MARGIN,
    Trajectory,
    Yardstick,
    hypervolume_curve,
    mean_and_interval,
    yardstick,
)
from flows.figures import plain, rendered
from flows.pareto import OBJECTIVES
from nas.strategies import StrategyName

COLOURS = ("#8a919e", "#3b6ea5", "#d98c3f", "#5a9e6f", "#8e5ea2", "#c44e52", "#2aa7a1", "#b08d57", "#39424e", "#d977b0")


def comparison_values(title: str, trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """Everything that was measured, as JSON values."""
    measure = yardstick(np.concatenate([run.objectives for run in trajectories]))
    return {
        "title": title,
        "objectives": [f"log {name}" if sign > 0 else f"-{name}" for name, sign in OBJECTIVES.items()],
        "ideal": measure.ideal.tolist(),
        "nadir": measure.nadir.tolist(),
        "reference": f"{MARGIN:g} beyond the nadir, of the distance from the ideal",
        "runs": [_run_values(run, measure) for run in trajectories],
    }


def _run_values(run: Trajectory, measure: Yardstick) -> dict[str, Any]:
    known = np.isfinite(run.objectives).all(axis=1)
    return {
        "strategy": run.strategy.value,
        "seed": run.seed,
        "hypervolume": hypervolume_curve(measure, run.objectives).round(6).tolist(),
        "own_cpu_seconds": run.own_seconds.round(4).tolist(),
        "oracle_cpu_seconds": run.oracle_seconds.round(4).tolist(),
        "evaluated": [
            point if finite else None for point, finite in zip(run.objectives.tolist(), known.tolist(), strict=True)
        ],
    }


def comparison_table(values: dict[str, Any]) -> str:
    """The page, in Markdown."""
    runs = values["runs"]
    budget = len(runs[0]["hypervolume"])
    marks = sorted({max(1, budget // 4), max(1, budget // 2), budget})
    names = list(dict.fromkeys(run["strategy"] for run in runs))
    seeds = len({run["seed"] for run in runs})
    head = ["strategy", *(f"at {mark}" for mark in marks), "better than random", "own CPU s", "oracle CPU s"]
    rows = [[name, *_cells(runs, name, marks)] for name in names]
    lines = [" | ".join(row) for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(
        [
            f"# Strategies: {values['title']}",
            "",
            f"Normalised hypervolume after so many proposals, mean over {seeds} seed(s) with the half-width of its "
            f"{CONFIDENCE:.0%} confidence interval (Student's t), of {', '.join(values['objectives'])}. "
            "1 is the hypervolume of the front that all runs found together, whose best and worst values scale the "
            f"objectives; the reference point lies {values['reference']}. Proposals that repeat one or are no network "
            "count. *Better than random* counts seeds, at the last mark. Own CPU time is the strategy's computation; "
            "the oracle's is that of the different pairs of a run, each as when it was first evaluated. Cycles are "
            "modelled, accuracies tabular, area is a proxy.",
            "",
            *(f"| {line} |" for line in lines),
            "",
        ]
    )


def _cells(runs: Sequence[dict[str, Any]], name: str, marks: Sequence[int]) -> list[str]:
    own = {run["seed"]: run for run in runs if run["strategy"] == name}
    random = {run["seed"]: run["hypervolume"][-1] for run in runs if run["strategy"] == StrategyName.RANDOM}
    cells = []
    for mark in marks:
        mean, half = mean_and_interval([run["hypervolume"][mark - 1] for run in own.values()])
        cells.append(f"{mean:.3f}" if np.isnan(half) else f"{mean:.3f} ± {half:.3f}")
    common = own.keys() & random.keys()
    better = sum(own[seed]["hypervolume"][-1] > random[seed] for seed in common)
    cells.append("" if name == StrategyName.RANDOM or not common else f"{better} of {len(common)}")
    cells += [
        f"{np.mean([run[key][-1] for run in own.values()]):.1f}" for key in ("own_cpu_seconds", "oracle_cpu_seconds")
    ]
    return cells


def comparison_png(values: dict[str, Any]) -> bytes:
    """Hypervolume against proposals and against CPU time, the mean with its interval."""
    figure = Figure(figsize=(11, 4.5), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    names = list(dict.fromkeys(run["strategy"] for run in values["runs"]))
    for name, colour in zip(names, COLOURS, strict=False):
        runs = [run for run in values["runs"] if run["strategy"] == name]
        curves = np.array([run["hypervolume"] for run in runs])
        means, halves = np.array([mean_and_interval(column.tolist()) for column in curves.T]).T
        seconds = np.mean([np.add(run["own_cpu_seconds"], run["oracle_cpu_seconds"]) for run in runs], axis=0)
        for axes, x in ((left, np.arange(1, len(means) + 1)), (right, seconds)):
            axes.plot(x, means, color=colour, label=name)
            axes.fill_between(x, means - halves, means + halves, color=colour, alpha=0.15, linewidth=0)
    left.set(xlabel="proposals", ylabel="normalised hypervolume", title=values["title"])
    right.set(xlabel="CPU seconds: strategy and oracle", xscale="log")
    for axes in (left, right):
        plain(axes)
    left.legend(loc="lower right", frameon=False)
    return rendered(figure)
