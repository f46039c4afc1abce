"""The comparison of strategies as a table, a plot and raw data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from flows.accelerators import accelerator_summary, config_from_values, config_values
from flows.experiments.accelerators import ACCELERATORS
from flows.experiments.markdown import table
from flows.experiments.oracle import OBJECTIVES
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
from flows.pairs.evaluation import Cost, Evaluation
from nas.strategies import StrategyName

COLOURS = ("#8a919e", "#3b6ea5", "#d98c3f", "#5a9e6f", "#8e5ea2", "#c44e52", "#2aa7a1", "#b08d57", "#39424e", "#d977b0")


@dataclass(frozen=True)
class Winner:
    """The best single pair of a strategy's runs."""

    strategy: StrategyName
    modelled: Evaluation
    measured: Cost | None
    """In RTL simulation; None where the program does not fit the accelerator."""


def comparison_values(
    title: str, trajectories: Sequence[Trajectory], seconds_per_pair: float, winners: Sequence[Winner]
) -> dict[str, Any]:
    """Everything that was measured, as JSON values."""
    measure = yardstick(np.concatenate([run.objectives for run in trajectories]))
    return {
        "title": title,
        "accelerator_space": {name: [str(value) for value in choices] for name, choices in vars(ACCELERATORS).items()},
        "objectives": ["-accuracy", *(f"log {name}" for name in OBJECTIVES.beside_accuracy)],
        "ideal": measure.ideal.tolist(),
        "nadir": measure.nadir.tolist(),
        "reference": f"{MARGIN:g} beyond the nadir, of the distance from the ideal",
        "oracle_cpu_seconds_per_pair": round(seconds_per_pair, 4),
        "runs": [_run_values(run, measure) for run in trajectories],
        "winners": [_winner_values(winner) for winner in winners],
    }


def _run_values(run: Trajectory, measure: Yardstick) -> dict[str, Any]:
    known = np.isfinite(run.objectives).all(axis=1)
    return {
        "strategy": run.strategy.value,
        "seed": run.seed,
        "hypervolume": hypervolume_curve(measure, run.objectives).round(6).tolist(),
        "own_cpu_seconds": run.own_seconds.round(4).tolist(),
        "different_pairs": run.different.tolist(),
        "evaluated": [
            point if finite else None for point, finite in zip(run.objectives.tolist(), known.tolist(), strict=True)
        ],
    }


def _winner_values(winner: Winner) -> dict[str, Any]:
    modelled, measured = winner.modelled, winner.measured
    return {
        "strategy": winner.strategy.value,
        "architecture": modelled.pair.architecture,
        "accelerator": config_values(modelled.pair.accelerator),
        "accuracy": modelled.accuracy,
        "modelled": {"cycles": modelled.cycles, "energy_uj": modelled.energy_uj},
        "measured": measured and {"cycles": measured.cycles, "energy_uj": measured.energy_uj},
    }


def comparison_page(values: dict[str, Any], plot: str) -> str:
    """The page, in Markdown, which shows the picture ``plot`` beside it."""
    runs = values["runs"]
    budget = len(runs[0]["hypervolume"])
    marks = sorted({max(1, budget // 4), max(1, budget // 2), budget})
    names = list(dict.fromkeys(run["strategy"] for run in runs))
    head = ["strategy", *(f"at {mark}" for mark in marks), "over random", "better than random", "own CPU s"]
    return "\n".join(
        [
            f"# Strategies: {values['title']}",
            "",
            *_introduction(values, marks[-1]),
            "",
            f"![Hypervolume against proposals and against CPU time]({plot})",
            "",
            *table(head, [[name, *_cells(runs, name, marks)] for name in names]),
            "",
            *_verdicts(runs, names),
            *_winners(values["winners"]),
        ]
    )


def _introduction(values: dict[str, Any], budget: int) -> list[str]:
    searched = "; ".join(f"{name} {', '.join(choices)}" for name, choices in values["accelerator_space"].items())
    seeds = len({run["seed"] for run in values["runs"]})
    return [
        f"Normalised hypervolume after so many proposals of {budget}, mean over {seeds} seed(s) with the half-width of "
        f"its {CONFIDENCE:.0%} confidence interval (Student's t), of {', '.join(values['objectives'])}. 1 is the "
        "hypervolume of the front that all runs found together, whose best and worst values scale the objectives; the "
        f"reference point lies {values['reference']}. Proposals that repeat one or are no network count. Cycles are "
        "modelled, accuracies tabular, area is a proxy.",
        "",
        f"Accelerators: {searched}.",
        "",
        "*Over random* and *better than random* compare seed by seed, after all proposals. Own CPU time is the "
        "strategy's computation. The plot adds the oracle's, by different pairs at the mean of all that were "
        f"evaluated, {values['oracle_cpu_seconds_per_pair']:.3f} CPU s: what one takes depends on which layers were "
        "modelled before.",
    ]


def _cells(runs: Sequence[dict[str, Any]], name: str, marks: Sequence[int]) -> list[str]:
    own = [run for run in runs if run["strategy"] == name]
    cells = [_interval(*mean_and_interval([run["hypervolume"][mark - 1] for run in own])) for mark in marks]
    more = [] if name == StrategyName.RANDOM else _differences(runs, name, StrategyName.RANDOM)
    cells += [_interval(*mean_and_interval(more)), f"{sum(np.array(more) > 0)} of {len(more)}"] if more else ["", ""]
    return [*cells, f"{np.mean([run['own_cpu_seconds'][-1] for run in own]):.1f}"]


def _interval(mean: float, half: float) -> str:
    return f"{mean:.3f}" if np.isnan(half) else f"{mean:.3f} ± {half:.3f}"


def _differences(runs: Sequence[dict[str, Any]], name: str, other: str) -> list[float]:
    """By seed, by how much ``name`` ended above ``other``."""
    own, others = (
        {run["seed"]: run["hypervolume"][-1] for run in runs if run["strategy"] == found} for found in (name, other)
    )
    return [own[seed] - others[seed] for seed in own if seed in others]


def _verdicts(runs: Sequence[dict[str, Any]], names: Sequence[str]) -> list[str]:
    """What the intervals allow to be said, of several seeds."""
    if len({run["seed"] for run in runs}) < 2 or StrategyName.RANDOM not in names:
        return []
    others = [name for name in names if name != StrategyName.RANDOM]
    spans = {name: mean_and_interval(_differences(runs, name, StrategyName.RANDOM)) for name in others}
    level = [name for name, (mean, half) in spans.items() if abs(mean) <= half]
    worse = [name for name, (mean, half) in spans.items() if mean < -half]
    lines = [
        f"Within the interval of random search: {', '.join(level) or 'none'}; "
        f"worse than it: {', '.join(worse) or 'none'}."
    ]
    rivals = [name for name in others if name != StrategyName.OPTIMIST]
    if StrategyName.OPTIMIST in names and rivals:
        best = max(rivals, key=lambda name: spans[name][0])
        more = mean_and_interval(_differences(runs, StrategyName.OPTIMIST, best))
        lines.append(
            f"`{StrategyName.OPTIMIST}` over the best of the others, `{best}`, seed by seed: {_interval(*more)}."
        )
    return [" ".join(lines), ""]


def _winners(winners: Sequence[dict[str, Any]]) -> list[str]:
    if not winners:
        return []
    return [
        "## The evaluator's optimism",
        "",
        "Of each strategy, the pair with the largest hypervolume by itself among all of its runs: what the model said "
        "when it was chosen, and the generated Verilog in simulation. Positive is optimistic: the RTL takes more than "
        "was modelled.",
        "",
        *table(
            ["strategy", "network", "accelerator", "accuracy", "modelled cycles", "RTL cycles", "optimism", "energy's"],
            [_winner_row(winner) for winner in winners],
        ),
        "",
    ]


def _winner_row(winner: dict[str, Any]) -> list[str]:
    modelled, measured = winner["modelled"], winner["measured"]
    network = winner["architecture"].replace("|", "\\|")
    return [
        winner["strategy"],
        f"`{network}`",
        accelerator_summary(config_from_values(winner["accelerator"])),
        f"{winner['accuracy']:.2%}",
        f"{modelled['cycles']:,.0f}",
        "does not fit" if measured is None else f"{measured['cycles']:,.0f}",
        *("" if measured is None else _optimism(modelled[m], measured[m]) for m in ("cycles", "energy_uj")),
    ]


def _optimism(modelled: float, measured: float) -> str:
    return f"{100 * (measured / modelled - 1):+.2f} %"


def comparison_png(values: dict[str, Any]) -> bytes:
    """Hypervolume against proposals and against CPU time, the mean with its interval."""
    figure = Figure(figsize=(11, 4.5), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    names = list(dict.fromkeys(run["strategy"] for run in values["runs"]))
    for name, colour in zip(names, COLOURS, strict=False):
        runs = [run for run in values["runs"] if run["strategy"] == name]
        curves = np.array([run["hypervolume"] for run in runs])
        means, halves = np.array([mean_and_interval(column.tolist()) for column in curves.T]).T
        price = values["oracle_cpu_seconds_per_pair"]
        seconds = np.mean(
            [np.add(run["own_cpu_seconds"], price * np.array(run["different_pairs"])) for run in runs], axis=0
        )
        for axes, x in ((left, np.arange(1, len(means) + 1)), (right, seconds)):
            axes.plot(x, means, color=colour, label=name)
            axes.fill_between(x, means - halves, means + halves, color=colour, alpha=0.15, linewidth=0)
    left.set(xlabel="proposals", ylabel="normalised hypervolume", title=values["title"])
    right.set(xlabel="CPU seconds: strategy and oracle", xscale="log")
    for axes in (left, right):
        plain(axes)
    left.legend(loc="lower right", frameon=False)
    return rendered(figure)
