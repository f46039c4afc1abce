"""The comparison of joint and staged search as a plot."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from flows.experiments.joint_vs_staged_report import excess
from flows.experiments.staged import Method
from flows.experiments.task import Metric
from flows.figures import plain, rendered

COLOURS = ("#c44e52", "#3b6ea5", "#8a919e", "#d98c3f", "#5a9e6f")
NAMES = {Metric.ENERGY: "energy", Metric.CYCLES: "cycles"}


def comparison_png(values: dict[str, Any]) -> bytes:
    """Each method's cost over the optimum's by accuracy, the mean of seeds with its interval: a panel per metric."""
    figure = Figure(figsize=(11, 4), dpi=150, layout="constrained")
    panels = figure.subplots(1, len(Metric))
    for axes, metric in zip(panels, Metric, strict=True):
        found = [task for task in values["tasks"] if task["metric"] == metric]
        places = np.arange(len(found))
        for number, (method, colour) in enumerate(zip(Method, COLOURS, strict=True)):
            means, halves = np.array([excess(task, method).mean_and_interval for task in found]).T
            offset = 0.8 * ((number + 0.5) / len(Method) - 0.5)
            axes.errorbar(places + offset, 1 + means, halves, fmt="o", color=colour, capsize=3, label=method.value)
        axes.axhline(1, color="#444444", linewidth=0.8, linestyle="--")
        axes.set(title=f"{values['space']}: {NAMES[metric]}", ylabel="times the optimum's")
        axes.set_xticks(places, [f"at least {task['accuracy']:.2%}" for task in found])
        plain(axes, axis="y")
    panels[0].legend(frameon=False)
    return rendered(figure)
