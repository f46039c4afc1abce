"""The comparison of joint and staged search as a page and a plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.accelerators import accelerator_summary, config_from_values
from flows.experiments.markdown import table
from flows.experiments.staged import SAMPLE, Method
from flows.experiments.strategies import CONFIDENCE, mean_and_interval
from flows.experiments.task import Metric

NEAR = 0.01
"""Beyond the optimum by at most this much counts as reaching it."""
STAGED = tuple(method for method in Method if method is not Method.JOINT)


@dataclass(frozen=True)
class Excess:
    """How far beyond the optimum the runs of one method ended, of those that found a pair at all."""

    values: tuple[float, ...]
    """Cost over the optimum's, less 1, by seed; NaN where no pair was found."""

    @property
    def found(self) -> list[float]:
        return [value for value in self.values if not np.isnan(value)]

    @property
    def missed(self) -> int:
        return len(self.values) - len(self.found)

    @property
    def mean_and_interval(self) -> tuple[float, float]:
        return mean_and_interval(self.found) if self.found else (float("nan"), float("nan"))

    @property
    def near(self) -> int:
        """Runs that reached the optimum."""
        return sum(value <= NEAR for value in self.found)


def excess(task: dict[str, Any], method: Method) -> Excess:
    """Of the runs of ``method`` on a task."""
    costs = [run["cost"] for run in task["methods"][method]]
    return Excess(tuple(float("nan") if cost is None else cost / task["optimum"]["cost"] - 1 for cost in costs))


def best_staged(task: dict[str, Any]) -> Method:
    """The baseline with the fewest runs that found nothing, then with the least mean cost."""

    def rank(method: Method) -> tuple[int, float]:
        found = excess(task, method)
        return found.missed, found.mean_and_interval[0]

    return min(STAGED, key=rank)


def savings(task: dict[str, Any], method: Method) -> list[float]:
    """By seed, the part of the baseline's cost that joint search saves, where both found a pair."""
    pairs = zip(excess(task, Method.JOINT).values, excess(task, method).values, strict=True)
    return [1 - (1 + joint) / (1 + staged) for joint, staged in pairs if not np.isnan([joint, staged]).any()]


def comparison_page(values: dict[str, Any], plot: str) -> str:
    """The page, in Markdown, which shows the picture ``plot`` beside it."""
    tasks = values["tasks"]
    return "\n".join(
        [
            f"# Joint against staged search: {values['space']}",
            "",
            *_introduction(values),
            "",
            f"![Cost over the optimum's, by accuracy and method]({plot})",
            "",
            "## Distance to the optimum",
            "",
            *table(
                ["minimised", "accuracy at least", "optimum", *(method.value for method in Method)],
                [_distance_row(task) for task in tasks],
            ),
            "",
            "## What joint search saves",
            "",
            *_savings_notes(tasks),
            "",
            *table(
                ["minimised", "accuracy at least", "best staged", "saved", *(f"of {m.value}" for m in STAGED)],
                [_savings_row(task) for task in tasks],
            ),
            "",
            "## The optima",
            "",
            "*Whole model* is how far the costs in this comparison, composed of layers that are modelled one with the "
            "one before, are from the cycle model of the whole program: of the optimum, and of joint search's best "
            "pair where that is another.",
            "",
            *table(
                ["minimised", "accuracy at least", "network", "accelerator", "LUT equivalents", "whole model"],
                [_optimum_row(task) for task in tasks],
            ),
            "",
        ]
    )


def _introduction(values: dict[str, Any]) -> list[str]:
    searched = "; ".join(f"{name} {', '.join(choices)}" for name, choices in values["accelerator_space"].items())
    return [
        "Energy or cycles per inference at equal accuracy: the best pair of network and accelerator that reaches an "
        f"accuracy on a device of {values['lut_equivalents']} LUT equivalents, by joint search and by staged searches, "
        f"each with {values['budget']} evaluations, strategy {values['strategy']} with a population of "
        f"{values['population']}, {values['seeds']} seed(s). Accuracies are the benchmarks' tables' for CIFAR-10 and "
        "stand at four distances from that of the space's most accurate network: small ones, because there networks "
        "differ in cost and a search for accuracy alone is no answer. Costs are modelled.",
        "",
        f"Accelerators: {searched}; half of them fit the device.",
        "",
        f"The optimum is that of all {values['networks']} networks x {values['accelerators']} accelerators that fit. "
        f"The {values['costed_networks']} networks that reach an accuracy asked for were costed on each, "
        f"{values['costed_networks'] * values['accelerators']} pairs in {values['costing_cpu_seconds']:.0f} CPU "
        "seconds; the others' accuracies rule them out.",
        "",
        "- **joint**: networks and accelerators at once.",
        f"- **fixed accelerator**: the accelerator with the least geometric mean cost over "
        f"{SAMPLE} networks drawn at random that reach the accuracy, or fewer where an eighth of the evaluations meets "
        "no more, then hardware-aware search of the network on it.",
        "- **fixed network**: search for accuracy alone, then the accelerator for the most accurate network.",
        "- **network first**: hardware-aware search of the network on the accelerator nearest to the default preset, "
        "then the accelerator for it.",
        "- **accelerator first**: the accelerator for one network drawn at random that reaches the accuracy, then "
        "hardware-aware search of the network on it.",
        "",
        "The first stage has half of the evaluations, draws included, the second what is left; accelerators that can "
        "all be tried within their stage are. An evaluation is of one pair, or of one network's accuracy. What is "
        "known without is free: that genes stand for no network, that an accelerator does not fit, what was evaluated "
        "before. The best pair evaluated on the way counts, in whatever stage.",
        "",
        f"Cells: mean distance of the cost from the optimum's with the half-width of its {CONFIDENCE:.0%} confidence "
        f"interval over seeds (Student's t), and how many runs ended within {NEAR:.0%} of the optimum; *missed* are "
        "runs that found no pair, which the mean leaves out.",
    ]


def _distance_row(task: dict[str, Any]) -> list[str]:
    return [*_head(task), _cost(task, task["optimum"]["cost"]), *(_distance(excess(task, m)) for m in Method)]


def _head(task: dict[str, Any]) -> list[str]:
    return ["energy" if task["metric"] == Metric.ENERGY else "latency", f"{task['accuracy']:.2%}"]


def _cost(task: dict[str, Any], cost: float) -> str:
    return f"{cost:,.1f} µJ" if task["metric"] == Metric.ENERGY else f"{cost:,.0f} cycles"


def _distance(found: Excess) -> str:
    runs = len(found.values)
    missed = f", {found.missed} missed" if found.missed else ""
    return f"{_percent(*found.mean_and_interval)} ({found.near} of {runs}{missed})"


def _percent(mean: float, half: float) -> str:
    if np.isnan(mean):
        return "none"
    return f"{100 * mean:.1f} %" if np.isnan(half) else f"{100 * mean:.1f} ± {100 * half:.1f} %"


def _savings_row(task: dict[str, Any]) -> list[str]:
    best = best_staged(task)
    return [*_head(task), best.value, _saved(task, best), *(_saved(task, method) for method in STAGED)]


def _saved(task: dict[str, Any], method: Method) -> str:
    found = savings(task, method)
    return _percent(*mean_and_interval(found)) if found else "none"


def _savings_notes(tasks: Sequence[dict[str, Any]]) -> list[str]:
    def span(metric: Metric, of: Callable[[dict[str, Any]], Method]) -> str:
        means = [
            mean_and_interval(found)[0]
            for task in tasks
            if task["metric"] == metric and (found := savings(task, of(task)))
        ]
        return f"{100 * min(means):.1f} to {100 * max(means):.1f} %" if means else "none"

    def both(of: Callable[[dict[str, Any]], Method]) -> str:
        return f"{span(Metric.ENERGY, of)} of the energy and {span(Metric.CYCLES, of)} of the cycles"

    return [
        "The part of a baseline's cost that joint search saves, seed by seed, where both found a pair; *best staged* "
        "is the baseline with the fewest misses, then the least mean cost. Over the tasks, joint search saves "
        f"{both(best_staged)} of the best staged baseline, and {both(lambda _: Method.FIXED_NETWORK)} of search for "
        "accuracy alone followed by the accelerator.",
        "",
        "Published marks, on other spaces and hardware: 40 % less energy at equal accuracy (Chen et al., 2022), "
        "and 1.42 to 2.29 times less energy or 1.79 to 3.07 times less latency (30 to 56 % and 44 to 67 % saved) "
        "than two-stage design (You Only Search Once, DATE 2020). Two-stage design there is search for accuracy alone, "
        "then the accelerator: *fixed network* here.",
    ]


def _optimum_row(task: dict[str, Any]) -> list[str]:
    best = task["optimum"]
    network = best["architecture"].replace("|", "\\|")
    return [
        *_head(task),
        f"`{network}`",
        accelerator_summary(config_from_values(best["accelerator"])),
        str(best["lut_equivalents"]),
        ", ".join(
            f"{100 * (pair['cost'] / pair['whole'] - 1):+.2f} %" for pair in task["whole_model"] if pair["whole"]
        ),
    ]


def _errors(task: dict[str, Any]) -> list[float]:
    return [pair["cost"] / pair["whole"] - 1 for pair in task["whole_model"] if pair["whole"] is not None]
