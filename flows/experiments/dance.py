"""DANCE with a cost-estimation network trained beforehand, against REINFORCE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from flows.experiments.markdown import table
from flows.experiments.pair_table import PairTable
from flows.experiments.strategies import (
    CONFIDENCE,
    Trajectory,
    Yardstick,
    hypervolume_curve,
    mean_and_interval,
    yardstick,
)
from flows.experiments.task import genotypes
from flows.figures import plain, rendered
from flows.pairs.space import PairSpace
from hwgen.area import lut_equivalents
from nas.spaces import Space
from nas.strategies import StrategyName
from nas.strategies.cost_network import CostNetwork

METRICS = ("cycles", "lut_equivalents", "energy_uj")
"""What the network estimates, the costs among the objectives first."""
MARKS = (20, 50, 100, 200, 400, 800)
"""Proposals after which the page states hypervolumes."""
COSTED = (1, 2)
"""The objectives that these are."""


@dataclass(frozen=True, eq=False)
class CostedPairs:
    """Pairs that run, by their genes."""

    genes: np.ndarray
    """int64 [n, genes]"""
    logarithms: np.ndarray
    """float64 [n, METRICS]"""


def costed_pairs(space: PairSpace, networks: Space, costs: PairTable, part: slice) -> CostedPairs:
    """Of ``part`` of the table's networks, those on all its accelerators."""
    genes = {space.accelerators.decode(found): found for found in genotypes(space.accelerators.gene_sizes)}
    accelerators = np.array([genes[config] for config in costs.accelerators])
    encoded = np.array([networks.encode(name) for name in costs.architectures[part]])
    areas = np.broadcast_to(
        [lut_equivalents(config) for config in costs.accelerators], (len(encoded), len(accelerators))
    )
    values = np.log(np.stack([costs.cycles[:, part].T, areas, costs.energy_uj[:, part].T], axis=2))
    rows = [
        np.concatenate([np.broadcast_to(network, (len(accelerators), len(network))), accelerators], axis=1)
        for network in encoded
    ]
    runs = np.isfinite(values).all(axis=2)
    return CostedPairs(np.stack(rows)[runs], values[runs])


def taus(network: CostNetwork, pairs: CostedPairs) -> dict[str, float]:
    """Kendall's rank correlation of estimated and modelled costs, by metric."""
    estimated = network.estimate(pairs.genes)
    return {
        metric: float(stats.kendalltau(estimated[:, column], pairs.logarithms[:, column]).statistic)
        for column, metric in enumerate(METRICS)
    }


def dance_values(title: str, evaluator: dict[str, Any], trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """Everything that was measured, as JSON values."""
    measure = yardstick(np.concatenate([run.objectives for run in trajectories]))
    return {
        "title": title,
        "evaluator": evaluator,
        "runs": [_run_values(run, measure) for run in trajectories],
    }


def _run_values(run: Trajectory, measure: Yardstick) -> dict[str, Any]:
    return {
        "strategy": run.strategy.value,
        "seed": run.seed,
        "hypervolume": hypervolume_curve(measure, run.objectives).round(6).tolist(),
        "own_cpu_seconds": run.own_seconds.round(4).tolist(),
    }


def _curves(values: dict[str, Any], name: StrategyName) -> np.ndarray:
    """float64 [seeds, proposals]: hypervolumes."""
    return np.array([run["hypervolume"] for run in values["runs"] if run["strategy"] == name])


def _cells(curves: np.ndarray, marks: Sequence[int]) -> list[str]:
    cells = []
    for mark in marks:
        if mark > curves.shape[1]:
            cells.append("")
            continue
        mean, half = mean_and_interval(curves[:, mark - 1].tolist())
        cells.append(f"{mean:.3f}" if np.isnan(half) else f"{mean:.3f} ± {half:.3f}")
    return cells


def dance_page(values: dict[str, Any], plot: str) -> str:
    """The page, in Markdown, which shows the picture ``plot`` beside it."""
    found = values["evaluator"]
    dance, rl = _curves(values, StrategyName.DANCE), _curves(values, StrategyName.RL)
    budgets = dance.shape[1], rl.shape[1]
    marks = sorted({*(mark for mark in MARKS if mark <= max(budgets)), *budgets})
    return "\n".join(
        [
            f"# DANCE's evaluator, trained beforehand: {values['title']}",
            "",
            f"The cost-estimation network learnt from {found['pairs']:,} pairs of {found['networks']} random networks "
            f"and {found['accelerators']} accelerators, whose modelled costs took {found['costing_cpu_seconds']:.0f} "
            f"CPU s, those of the held-out networks among them; training it took {found['training_cpu_seconds']:.0f} "
            f"CPU s. No accuracy was asked for. Kendall's tau on {found['held_out_pairs']:,} pairs of "
            f"{found['held_out_networks']} networks that it never saw:",
            "",
            *table(list(METRICS), [[f"{found['taus'][metric]:.3f}" for metric in METRICS]]),
            "",
            f"Normalised hypervolume after so many proposals, mean over {len(dance)} seed(s) with the half-width of "
            f"its {CONFIDENCE:.0%} confidence interval (Student's t), of -accuracy, log cycles, log lut_equivalents. 1 "
            "is that of the front that these runs found together.",
            "",
            f"![Hypervolume against proposals]({plot})",
            "",
            *table(
                ["strategy", *(f"at {mark}" for mark in marks), "own CPU s"],
                [
                    [name.value, *_cells(_curves(values, name), marks), f"{_own_seconds(values, name):.1f}"]
                    for name in (StrategyName.DANCE, StrategyName.RL)
                ],
            ),
            "",
            "How many proposals `dance` needs for the mean hypervolume that `rl` has after so many:",
            "",
            *table(["proposals of `rl`", "hypervolume", "of `dance`", "part"], _needed(dance, rl, marks)),
            "",
        ]
    )


def _needed(dance: np.ndarray, rl: np.ndarray, marks: Sequence[int]) -> list[list[str]]:
    """Rows of the table that compares the proposals for equal means of the curves [seeds, proposals]."""
    rows = []
    for mark in marks:
        if mark <= rl.shape[1]:
            wanted = rl.mean(axis=0)[mark - 1]
            enough = np.flatnonzero(dance.mean(axis=0) >= wanted)
            found = (str(enough[0] + 1), f"{(enough[0] + 1) / mark:.0%}") if len(enough) else ("not reached", "")
            rows.append([str(mark), f"{wanted:.3f}", *found])
    return rows


def _own_seconds(values: dict[str, Any], name: StrategyName) -> float:
    return float(np.mean([run["own_cpu_seconds"][-1] for run in values["runs"] if run["strategy"] == name]))


def dance_png(values: dict[str, Any]) -> bytes:
    """Hypervolume against proposals, the mean with its interval."""
    figure = Figure(figsize=(6.5, 4.5), dpi=150, layout="constrained")
    axes = figure.subplots()
    for name, colour in ((StrategyName.DANCE, "#d977b0"), (StrategyName.RL, "#8e5ea2")):
        curves = _curves(values, name)
        means, halves = np.array([mean_and_interval(column.tolist()) for column in curves.T]).T
        x = np.arange(1, len(means) + 1)
        axes.plot(x, means, color=colour, label=name)
        axes.fill_between(x, means - halves, means + halves, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="proposals", ylabel="normalised hypervolume", xscale="log", title=values["title"])
    plain(axes)
    axes.legend(frameon=False)
    return rendered(figure)
