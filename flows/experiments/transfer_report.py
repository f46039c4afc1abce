"""The comparison of transferred predictors as a table, a plot and raw data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from flows.experiments.markdown import table
from flows.experiments.strategies import CONFIDENCE, mean_and_interval
from flows.experiments.transfer import SAMPLES, Method, Score
from flows.figures import plain, rendered
from flows.files import write_json
from hwgen.files import write_bytes

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


@dataclass(frozen=True)
class Study:
    """What is transferred from where to where."""

    name: str
    """Of the files."""
    title: str
    introduction: str
    """In Markdown, without what is the same of every study."""
    metrics: tuple[str, ...]
    targets: tuple[str, ...]


def write_study(directory: Path, study: Study, scores: Sequence[Score]) -> str:
    """Write the study's ``.md``, ``.png`` and ``.json`` into ``directory``; the page."""
    values = transfer_values(study, scores)
    page = transfer_page(values)
    write_json(directory / f"{study.name}.json", values)
    write_bytes(directory / f"{study.name}.md", page.encode())
    write_bytes(directory / f"{study.name}.png", transfer_png(values))
    return page


def transfer_values(study: Study, scores: Sequence[Score]) -> dict[str, Any]:
    """Everything that was measured, as JSON values."""
    return {**asdict(study), "scores": [{**asdict(score), "method": score.method.value} for score in scores]}


def transfer_page(values: dict[str, Any]) -> str:
    """The page, in Markdown."""
    source = _cells(values, "source", Method.SOURCE)
    found = ", ".join(
        f"{_error(source, metric)} of {name} (tau {_tau(source, metric):.3f})"
        for metric, name in enumerate(values["metrics"])
        if np.isfinite(_tau(source, metric))
    )
    lines = [
        f"# Predictors that transfer: {values['title']}",
        "",
        f"{values['introduction']} Cells are the mean absolute error over {len(source)} seed(s) with the half-width of "
        f"its {CONFIDENCE:.0%} confidence interval (Student's t), and Kendall's tau, on held-out pairs; of each seed, "
        "all pairs are split anew. All learners have the same features and logarithmic targets.",
        "",
        f"On the source's own held-out pairs the predictor errs by {found}.",
        "",
        f"![Error by number of samples, for each target and metric]({values['name']}.png)",
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
    for target in values["targets"]:
        lines += ["", f"## `{target}`", "", *_table(_rows(values, target))]
    return "\n".join([*lines, ""])


def _summary(values: dict[str, Any]) -> list[list[str]]:
    others = (Method.SCRATCH, Method.RIDGE, Method.BOOSTING, Method.SCALED, Method.K_CENTRE, Method.DISPUTED)
    rows = [["target", "metric", *others]]
    for target in values["targets"]:
        own = _cells(values, target, Method.TRANSFERRED, JUDGED)
        for metric, name in enumerate(values["metrics"]):
            error = _mean_error(own, metric)
            ratios = [error / _mean_error(_cells(values, target, other, JUDGED), metric) for other in others]
            if np.isfinite(error):
                rows.append([f"`{target}`", name, *("" if np.isnan(ratio) else f"{ratio:.2f}" for ratio in ratios)])
    return rows


def _times(values: dict[str, Any]) -> list[list[str]]:
    methods = [method for method in Method if method is not Method.SOURCE]
    found = [
        np.mean([_seconds(_cells(values, target, method, JUDGED)) for target in values["targets"]])
        for method in methods
    ]
    return [["", *methods], ["CPU s", *(f"{seconds:.3f}" for seconds in found)]]


def _rows(values: dict[str, Any], target: str) -> list[list[str]]:
    judged = _judged(values, [target])
    rows = [["method", *(f"{values['metrics'][metric]}, {samples}" for metric in judged for samples in SAMPLES)]]
    for method in Method:
        row: list[str] = [method]
        for metric in judged:
            for samples in SAMPLES:
                cells = _cells(values, target, method, 0 if method is Method.SOURCE else samples)
                told = np.isfinite(_mean_error(cells, metric))
                row.append(f"{_error(cells, metric)}, {_tau(cells, metric):.2f}" if told else "")
        rows.append(row)
    return rows


def _judged(values: dict[str, Any], targets: Sequence[str]) -> list[int]:
    """The metrics that some predictor of ``targets`` has an error of."""
    scores = [score for score in values["scores"] if score["target"] in targets]
    return [
        metric
        for metric in range(len(values["metrics"]))
        if any(np.isfinite(score["errors"][metric]) for score in scores)
    ]


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
    mean, half = mean_and_interval(_known(cells, "errors", metric))
    return f"{100 * mean:.1f} %" if np.isnan(half) else f"{100 * mean:.1f} ± {100 * half:.1f} %"


def _mean_error(cells: Sequence[Cell], metric: int) -> float:
    return _mean(_known(cells, "errors", metric))


def _tau(cells: Sequence[Cell], metric: int) -> float:
    return _mean(_known(cells, "taus", metric))


def _known(cells: Sequence[Cell], field: str, metric: int) -> list[float]:
    """Of the seeds that it is known of."""
    return [cell[field][metric] for cell in cells if np.isfinite(cell[field][metric])]


def _mean(found: Sequence[float]) -> float:
    return float(np.mean(found)) if found else nan


def _seconds(cells: Sequence[Cell]) -> float:
    return float(np.mean([cell["cpu_seconds"] for cell in cells]))


def transfer_png(values: dict[str, Any]) -> bytes:
    """Error against samples, a panel per metric and target: a row per metric, or one row of a single target."""
    targets = values["targets"]
    judged = _judged(values, targets)
    in_a_row = len(targets) == 1
    rows, columns = (1, len(judged)) if in_a_row else (len(judged), len(targets))
    figure = Figure(figsize=(3.2 * columns, 3 * rows + 0.6), dpi=150, layout="constrained")
    drawn = figure.subplots(rows, columns, sharex=True, sharey="row", squeeze=False)
    panels = drawn.T if in_a_row else drawn
    for target, of_target in zip(targets, panels.T, strict=True):
        of_target[0].set_title(target)
        for metric, axes in zip(judged, of_target, strict=True):
            for method, colour in COLOURS.items():
                errors = [
                    _mean_error(_cells(values, target, method, 0 if method is Method.SOURCE else samples), metric)
                    for samples in SAMPLES
                ]
                axes.plot(SAMPLES, np.multiply(100, errors), color=colour, label=method.value, marker="o", markersize=3)
            axes.set(xscale="log", yscale="log", xticks=SAMPLES, xticklabels=[str(samples) for samples in SAMPLES])
            axes.minorticks_off()
            plain(axes)
    for axes in drawn[-1]:
        axes.set_xlabel("samples")
    for metric, axes in zip(judged, panels[:, 0], strict=True):
        name = values["metrics"][metric]
        axes.set(ylabel=f"mean error of {name}, %", yticks=TICKS, yticklabels=[str(tick) for tick in TICKS])
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return rendered(figure)
