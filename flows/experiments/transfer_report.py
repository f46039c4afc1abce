"""The comparison of transferred predictors as a table, a plot and raw data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from flows.experiments.markdown import table
from flows.experiments.strategies import CONFIDENCE, mean_and_interval
from flows.experiments.transfer import SAMPLES, Method, Score
from flows.experiments.transfer_pairs import SOURCES, TARGETS
from flows.figures import plain, rendered
from flows.pairs.evaluation import ENERGY_TABLE

METRICS = ("cycles", "energy")
COLOURS = {
    Method.SOURCE: "#c8ccd2",
    Method.SCALED: "#8a919e",
    Method.TRANSFERRED: "#3b6ea5",
    Method.K_CENTRE: "#5a9e6f",
    Method.DISPUTED: "#8e5ea2",
    Method.SCRATCH: "#c44e52",
    Method.RIDGE: "#d98c3f",
    Method.BOOSTING: "#b8860b",
}
TICKS = (3, 5, 10, 20, 40)
JUDGED = 20
"""Samples of the summary."""

Cell = dict[str, Any]


def transfer_values(title: str, source_pairs: int, target_pairs: int, scores: Sequence[Score]) -> dict[str, Any]:
    """Everything that was measured, as JSON values."""
    return {
        "title": title,
        "metrics": list(METRICS),
        "energy_table": ENERGY_TABLE.name,
        "domains": {
            domain.name: {"dataflow": domain.dataflow.value, **asdict(domain.memory)} for domain in (*SOURCES, *TARGETS)
        },
        "source_pairs": source_pairs,
        "target_pairs": target_pairs,
        "scores": [{**asdict(score), "method": score.method.value} for score in scores],
    }


def transfer_page(values: dict[str, Any]) -> str:
    """The page, in Markdown."""
    source = _cells(values, "source", Method.SOURCE)
    seeds = len(source)
    errors = ", ".join(f"{_error(source, metric)} of {name}" for metric, name in enumerate(METRICS))
    memories = "; ".join(
        f"`{name}`: {domain['dataflow']}, memory of {domain['latency_cycles']} cycles' latency and "
        f"{domain['cycles_per_beat']} cycle(s) a beat"
        for name, domain in values["domains"].items()
    )
    lines = [
        f"# Predictors that transfer: {values['title']}",
        "",
        "A multi-task network learns the cycles and the energy of random pairs of one dataflow on several memories, "
        f"{', '.join(f'`{domain.name}`' for domain in SOURCES)}, and is adapted to other dataflows and to a slower "
        "memory, of which it never saw a pair, with few samples of each. Cells are the mean absolute error "
        f"over {seeds} seed(s) with the half-width of its {CONFIDENCE:.0%} confidence interval (Student's t), and "
        f"Kendall's tau, on held-out pairs. Cycles are modelled (`hwgen/cost_table.py`), energy is an estimate by the "
        f"table `{values['energy_table']}`; of each seed, {values['source_pairs']} source pairs, as many of each "
        f"memory, and {values['target_pairs']} of each target are split anew. All learners have the same features and "
        f"logarithmic targets. Domains: {memories}.",
        "",
        f"On the source's own held-out pairs the predictor errs by {errors}, tau "
        f"{_tau(source, 0):.3f} and {_tau(source, 1):.3f}.",
        "",
        "![Error by number of samples, for each target and metric](transfer.png)",
        "",
        f"## With {JUDGED} samples",
        "",
        "Error of the transferred predictor (random samples) relative to that of others; below 1 it is better.",
        "",
        *_table(_summary(values)),
        "",
        "## CPU seconds of learning",
        "",
        f"Pretraining takes {_seconds(source):.1f} once; then, with {JUDGED} samples:",
        "",
        *_table(_times(values)),
    ]
    for target in TARGETS:
        lines += ["", f"## `{target.name}`", "", *_table(_rows(values, target.name))]
    return "\n".join([*lines, ""])


def _summary(values: dict[str, Any]) -> list[list[str]]:
    others = (Method.SCRATCH, Method.RIDGE, Method.BOOSTING, Method.SCALED, Method.K_CENTRE, Method.DISPUTED)
    rows = [["target", "metric", *others]]
    for target in TARGETS:
        own = _cells(values, target.name, Method.TRANSFERRED, JUDGED)
        for metric, name in enumerate(METRICS):
            error = _mean_error(own, metric)
            ratios = [error / _mean_error(_cells(values, target.name, other, JUDGED), metric) for other in others]
            rows.append([f"`{target.name}`", name, *(f"{ratio:.2f}" for ratio in ratios)])
    return rows


def _times(values: dict[str, Any]) -> list[list[str]]:
    methods = [method for method in Method if method is not Method.SOURCE]
    found = [
        np.mean([_seconds(_cells(values, target.name, method, JUDGED)) for target in TARGETS]) for method in methods
    ]
    return [["", *methods], ["CPU s", *(f"{seconds:.3f}" for seconds in found)]]


def _rows(values: dict[str, Any], target: str) -> list[list[str]]:
    rows = [["method", *(f"{name}, {samples}" for name in METRICS for samples in SAMPLES)]]
    for method in Method:
        row: list[str] = [method]
        for metric in range(len(METRICS)):
            for samples in SAMPLES:
                cells = _cells(values, target, method, 0 if method is Method.SOURCE else samples)
                row.append(f"{_error(cells, metric)}, {_tau(cells, metric):.2f}")
        rows.append(row)
    return rows


def _table(rows: list[list[str]]) -> list[str]:
    head, *others = rows
    return table(head, others)


def _cells(values: dict[str, Any], target: str, method: Method, samples: int | None = None) -> list[Cell]:
    """The scores of a method on a target, one a seed."""
    return [
        score
        for score in values["scores"]
        if (score["target"], score["method"]) == (target, method) and samples in (None, score["samples"])
    ]


def _error(cells: Sequence[Cell], metric: int) -> str:
    mean, half = mean_and_interval([cell["errors"][metric] for cell in cells])
    return f"{100 * mean:.1f} %" if np.isnan(half) else f"{100 * mean:.1f} ± {100 * half:.1f} %"


def _mean_error(cells: Sequence[Cell], metric: int) -> float:
    return float(np.mean([cell["errors"][metric] for cell in cells]))


def _tau(cells: Sequence[Cell], metric: int) -> float:
    return float(np.mean([cell["taus"][metric] for cell in cells]))


def _seconds(cells: Sequence[Cell]) -> float:
    return float(np.mean([cell["cpu_seconds"] for cell in cells]))


def transfer_png(values: dict[str, Any]) -> bytes:
    """Error against samples, one panel per target and metric."""
    figure = Figure(figsize=(3.2 * len(TARGETS), 6), dpi=150, layout="constrained")
    panels = figure.subplots(len(METRICS), len(TARGETS), sharex=True, sharey="row", squeeze=False)
    for column, target in enumerate(TARGETS):
        for metric, axes in enumerate(panels[:, column]):
            for method, colour in COLOURS.items():
                errors = [
                    _mean_error(_cells(values, target.name, method, 0 if method is Method.SOURCE else samples), metric)
                    for samples in SAMPLES
                ]
                axes.plot(SAMPLES, np.multiply(100, errors), color=colour, label=method.value, marker="o", markersize=3)
            axes.set(xscale="log", yscale="log", xticks=SAMPLES, xticklabels=[str(samples) for samples in SAMPLES])
            axes.minorticks_off()
            plain(axes)
        panels[0, column].set_title(target.name)
        panels[-1, column].set_xlabel("samples")
    for axes, name in zip(panels[:, 0], METRICS, strict=True):
        axes.set(ylabel=f"mean error of {name}, %", yticks=TICKS, yticklabels=[str(tick) for tick in TICKS])
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return rendered(figure)
