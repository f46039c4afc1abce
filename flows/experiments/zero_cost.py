"""How well scores of untrained networks rank them, against a benchmark's table of trained ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from flows.figures import rendered
from nas.data import Split
from nas.oracles import TabularOracle
from nas.spaces import Space
from nas.zero_cost import SCORES

PARAMETERS = "parameters"
"""The baseline: how many weights a network has."""
BEST = 0.1
"""The part of the networks, by trained accuracy, among which a rank correlation is stated too."""


def random_architectures(space: Space, count: int, seed: int) -> list[str]:
    """``count`` different architectures. The space has more."""
    rng = np.random.default_rng(seed)
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        drawn[space.random(rng)] = None
    return list(drawn)


def scored(space: Space, images: Split, table: TabularOracle, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """One random architecture after another: every score of it, the CPU seconds that it took, and the table's entry."""
    for architecture in random_architectures(space, count, seed):
        values, seconds = {}, {}
        for name, score in {**SCORES, PARAMETERS: _parameters}.items():
            began = time.process_time()
            values[name] = score(space, architecture, images, seed)
            seconds[name] = round(time.process_time() - began, 4)
        yield {
            "architecture": architecture,
            "accuracy": table.accuracy(architecture).value,
            "scores": values,
            "cpu_seconds": seconds,
        }


def _parameters(space: Space, architecture: str, _images: Split, _seed: int) -> float:
    return float(sum(parameter.numel() for parameter in space.build(architecture).parameters()))


def ranking(rows: list[dict[str, Any]], score: str) -> dict[str, float]:
    """Rank correlations of ``score`` with trained accuracy, and its mean CPU seconds."""
    values = np.array([row["scores"][score] for row in rows])
    accuracies = np.array([row["accuracy"] for row in rows])
    best = accuracies >= np.quantile(accuracies, 1 - BEST)
    return {
        "spearman": float(stats.spearmanr(values, accuracies).statistic),
        "kendall": float(stats.kendalltau(values, accuracies).statistic),
        "spearman_of_best": float(stats.spearmanr(values[best], accuracies[best]).statistic),
        "accuracy_of_highest": float(accuracies[np.argmax(values)]),
        "cpu_seconds": float(np.mean([row["cpu_seconds"][score] for row in rows])),
    }


def zero_cost_values(title: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Everything that was measured, as JSON values."""
    return {
        "title": title,
        "best_accuracy": max(row["accuracy"] for row in rows),
        "rankings": {score: ranking(rows, score) for score in rows[0]["scores"]},
        "networks": rows,
    }


def zero_cost_table(values: dict[str, Any]) -> str:
    """The page, in Markdown."""
    columns: dict[str, Callable[[dict[str, float]], str]] = {
        "Spearman": lambda found: f"{found['spearman']:.3f}",
        "Kendall": lambda found: f"{found['kendall']:.3f}",
        f"Spearman, best {BEST:.0%}": lambda found: f"{found['spearman_of_best']:.3f}",
        "accuracy of its first": lambda found: f"{found['accuracy_of_highest']:.2%}",
        "CPU s": lambda found: f"{found['cpu_seconds']:.2f}",
    }
    rows = [[score, *(cell(found) for cell in columns.values())] for score, found in values["rankings"].items()]
    lines = [" | ".join(row) for row in (["score", *columns], ["---"] * (1 + len(columns)), *rows)]
    return "\n".join(
        [
            f"# Zero-cost scores: {values['title']}",
            "",
            f"Rank correlation of scores of {len(values['networks'])} untrained networks with their accuracies in the "
            f"table, the best of which is {values['best_accuracy']:.2%}. *{PARAMETERS}* counts a network's weights, to "
            "compare with.",
            "",
            *(f"| {line} |" for line in lines),
            "",
        ]
    )


def zero_cost_png(values: dict[str, Any]) -> bytes:
    """Accuracy against each score."""
    figure = Figure(figsize=(4 * len(values["rankings"]), 3.8), dpi=150, layout="constrained")
    panels = figure.subplots(1, len(values["rankings"]), sharey=True)
    for axes, (score, found) in zip(panels, values["rankings"].items(), strict=True):
        x = [row["scores"][score] for row in values["networks"]]
        axes.scatter(x, [row["accuracy"] for row in values["networks"]], s=8, color="#3b6ea5")
        axes.set(xlabel=score, title=f"Spearman {found['spearman']:.3f}")
        axes.grid(True, color="#e6e8ec", linewidth=0.6)
        axes.set_axisbelow(True)
    panels[0].set_ylabel("accuracy in the table")
    return rendered(figure)
