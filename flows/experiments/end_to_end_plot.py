"""One pair from its constraints to its bitstream, as a plot."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from flows.experiments.end_to_end_report import STAGES
from flows.figures import plain, rendered
from flows.search.stages import Stage

MODELLED, FRONT, CHOSEN = "#b8bec8", "#3b6ea5", "#c44e52"
VALIDATION, TEST = "#8a919e", "#3b6ea5"
LABELS = {
    Stage.ACCURACIES: "supernet",
    Stage.PAIRS: "search",
    Stage.TRAINING: "training",
    Stage.DELIVERY: "int8 and RTL",
}


def end_to_end_png(values: dict[str, Any]) -> bytes:
    """The pairs that were found, the chosen one's accuracies, and CPU minutes by stage."""
    figure = Figure(figsize=(13, 3.8), dpi=150, layout="constrained")
    pairs, accuracies, stages = figure.subplots(1, 3)
    _draw_pairs(pairs, values)
    _draw_accuracies(accuracies, values["accuracy"])
    _draw_stages(stages, values)
    figure.suptitle(values["title"])
    return rendered(figure)


def _draw_pairs(axes: Axes, values: dict[str, Any]) -> None:
    points = values["search"]["points"]
    clock_mhz = values["settings"]["clock_mhz"]
    latency_ms = values["cost"]["measured"]["cycles"] / clock_mhz / 1000
    chosen = {"latency_ms": latency_ms, "accuracy": values["accuracy"]["oracle"]["value"]}
    for label, group, colour, size, marker in (
        ("modelled", points["modelled"], MODELLED, 14, "o"),
        ("front, in RTL", points["front"], FRONT, 30, "o"),
        ("chosen", [chosen], CHOSEN, 90, "*"),
    ):
        x, y = ([point[name] for point in group] for name in ("latency_ms", "accuracy"))
        axes.scatter(x, y, s=size, color=colour, marker=marker, label=label)
    axes.set(
        title="the search", xlabel=f"latency in ms at {clock_mhz:g} MHz", ylabel=values["accuracy"]["oracle"]["tier"]
    )
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(frameon=False)
    plain(axes)


def _draw_accuracies(axes: Axes, accuracy: dict[str, Any]) -> None:
    images = accuracy["images"]
    bars = [
        (0, accuracy["oracle"]["value"], VALIDATION),
        *(
            (place + offset, accuracy[number][part], colour)
            for place, number in ((1, "float"), (2, "int8"))
            for offset, part, colour in ((-0.2, "validation", VALIDATION), (0.2, "test", TEST))
        ),
    ]
    for x, height, colour in bars:
        axes.bar(x, height, 0.38, color=colour)
        axes.annotate(f"{height:.1%}", (x, height), ha="center", va="bottom", fontsize=8)
    axes.set_xticks([0, 1, 2], [accuracy["oracle"]["tier"], "float", "int8"])
    for part, colour in (("validation", VALIDATION), ("test", TEST)):
        axes.bar(0, 0, color=colour, label=f"{images[part]:,} {part} images")
    axes.set(title="the chosen network's accuracy", ylim=(0, 1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(frameon=False, loc="upper left")
    plain(axes, axis="y")


def _draw_stages(axes: Axes, values: dict[str, Any]) -> None:
    took = {LABELS[stage]: values["stages"][stage] for stage in STAGES if stage in values["stages"]}
    if values["bitstream_spent"] is not None:
        took["bitstream"] = values["bitstream_spent"]
    axes.barh(list(took), [spent["cpu_seconds"] / 60 for spent in took.values()], color=FRONT)
    axes.invert_yaxis()
    axes.set(title="what it took", xlabel="CPU minutes")
    plain(axes, axis="x")
