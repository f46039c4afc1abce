"""Utilisation per layer as a picture: as wide as the layer's cycles, as high as its share of the array's peak."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from flows.figures import plain, rendered
from hwgen.errors import InputError

FORMATS = (".png", ".svg", ".pdf")
COLOURS = {"conv": "#3b6ea5", "depthwise": "#d98c3f", "fully_connected": "#5a9e6f"}
OTHER_COLOUR = "#b8bec8"
LEAST_LABELLED = 0.03
"""Share of all cycles from which on a layer is named."""


def check_plot_path(path: Path) -> None:
    """InputError where ``path`` does not end as a picture does."""
    if path.suffix not in FORMATS:
        raise InputError(f"plot: {path} is no picture; accepted: a file ending in {', '.join(FORMATS)}")


def utilisation_plot(values: dict[str, Any], suffix: str) -> bytes:
    """The picture of ``flows.simulate.job.simulation_values``, in the format that ``suffix`` names."""
    figure = Figure(figsize=(11, 4.5), dpi=150, layout="constrained")
    axes = figure.subplots()
    start = 0
    for layer in values["layers"]:
        width, height = layer["cycles"], layer["utilization"]
        colour = COLOURS.get(layer["op"], OTHER_COLOUR)
        axes.bar(start, height, width, align="edge", color=colour, edgecolor="white", linewidth=0.4)
        if width >= LEAST_LABELLED * values["cycles"]:
            axes.text(start + width / 2, 0.02, layer["name"], rotation=90, ha="center", va="bottom", fontsize=7)
        start += width
    axes.axhline(values["utilization"], color="#d62728", linewidth=1, linestyle="--", label="whole network")
    for name, colour in (COLOURS | {"other": OTHER_COLOUR}).items():
        axes.bar(0, 0, color=colour, label=name)
    accelerator = values["accelerator"]
    axes.set(
        title=f"{values['network']} on {accelerator['rows']}x{accelerator['cols']}, measured in RTL: "
        f"{values['cycles']:,} cycles, {values['utilization']:.1%} of peak",
        xlabel="cycles",
        ylabel="share of peak MACs",
        xlim=(0, values["cycles"]),
    )
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    plain(axes, axis="y")
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return rendered(figure, suffix.removeprefix("."))
