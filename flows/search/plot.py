"""The Pareto front as a picture (matplotlib) and as a self-contained web page (plotly)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import plotly.graph_objects as go
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, NullFormatter, PercentFormatter

from flows.accelerators import config_values
from flows.figures import plain, rendered
from flows.pairs.constraints import Constraint
from flows.pairs.evaluation import ENERGY_TABLE, Evaluation, Tier
from flows.pairs.objectives import MAXIMISED, Objectives
from flows.search.chip_correction import stated_clock
from nas.accuracy import AccuracyTier

matplotlib.use("Agg")

COLOURS = "viridis"
MODELLED_COLOUR = "#b8bec8"
BEST_COLOUR = "#d62728"


@dataclass(frozen=True)
class FrontPlot:
    """What the two renderings show: accuracy up, the first objective beside it across, the second one as colour.

    Area is the colour where there is no second one.
    """

    title: str
    objectives: Objectives
    constraints: Sequence[Constraint]
    front: Sequence[Evaluation]
    """Measured, none dominated."""
    best: Evaluation | None
    dominated: Sequence[Evaluation]
    """Measured and not in the front."""
    modelled: Sequence[Evaluation]
    """Never simulated; their cycles are estimates, corrected by the measured pairs."""

    @property
    def clock_mhz(self) -> float:
        """At which latencies and rates are stated where no clock was found."""
        return self.objectives.clock_mhz

    @property
    def clock(self) -> str:
        """Which that is, for people."""
        return stated_clock(self.front, self.clock_mhz)

    @property
    def across(self) -> str:
        """The metric that is drawn across: latency for cycles, which are the same to a search."""
        first = self.objectives.beside_accuracy[0]
        return "latency_ms" if first == "cycles" else first

    @property
    def colour(self) -> str:
        """The metric that is drawn as colour."""
        return (*self.objectives.beside_accuracy, "lut_equivalents")[1]

    def label(self, metric: str) -> str:
        """Of the axis of ``metric``."""
        labels = {
            "latency_ms": f"latency in ms at {self.clock}",
            "gmac_per_s": f"GMAC/s at {self.clock}",
            "energy_uj": "energy in uJ, estimated",
            "lut_equivalents": "area proxy (LUT equivalents)",
        }
        return labels.get(metric, metric.replace("_", " "))

    @property
    def scored(self) -> bool:
        """Whether accuracies only rank and are no fractions."""
        return any(evaluation.accuracy_tier is AccuracyTier.ZERO_COST for evaluation in self.front)

    @property
    def y_label(self) -> str:
        tiers = sorted({evaluation.accuracy_tier for evaluation in self.front})
        return f"accuracy ({', '.join(tiers)})" if tiers else "accuracy"

    def points(self, evaluations: Sequence[Evaluation]) -> tuple[list[float], list[float], list[float]]:
        """What is drawn across, accuracy, and what is drawn as colour, of each of ``evaluations``."""
        metrics = [evaluation.metrics(self.clock_mhz) for evaluation in evaluations]
        return (
            [m[self.across] for m in metrics],
            [m["accuracy"] for m in metrics],
            [m[self.colour] for m in metrics],
        )

    @property
    def bounds_across(self) -> list[float]:
        """Constraints on what is drawn across; at one clock cycles are latency."""
        scale = {self.across: 1.0}
        if self.across == "latency_ms" and all(member.on_chip is None for member in self.front):
            scale["cycles"] = 1 / (self.clock_mhz * 1000)
        return [bound.bound * scale[bound.metric] for bound in self.constraints if bound.metric in scale]

    @property
    def accuracy_bounds(self) -> list[float]:
        """Constraints on accuracy."""
        return [bound.bound for bound in self.constraints if bound.metric == "accuracy"]

    @property
    def staircase(self) -> tuple[list[float], list[float]]:
        """The front of accuracy and what is drawn across alone, whatever the colour, from the best of the latter on."""
        sign = -1 if self.across in MAXIMISED else 1
        across, accuracies, _ = self.points(self.front)
        steps: list[tuple[float, float]] = []
        for x, accuracy in sorted(zip(across, accuracies, strict=True), key=lambda point: (sign * point[0], -point[1])):
            if not steps or accuracy > steps[-1][1]:
                steps.append((x, accuracy))
        return [x for x, _ in steps], [accuracy for _, accuracy in steps]


def front_png(plot: FrontPlot) -> bytes:
    """The plot as a PNG image."""
    figure = Figure(figsize=(9, 5.5), dpi=150, layout="constrained")
    axes = figure.subplots()
    x, y, _ = plot.points(plot.modelled)
    axes.scatter(x, y, s=12, color=MODELLED_COLOUR, label="modelled only", zorder=1)
    x, y, _ = plot.points(plot.dominated)
    axes.scatter(x, y, s=26, facecolors="white", edgecolors="#5b6573", label="measured, dominated", zorder=2)
    axes.step(*plot.staircase, where="post", color="#39424e", linewidth=1, zorder=3)
    x, y, colours = plot.points(plot.front)
    marks = axes.scatter(
        x,
        y,
        c=colours,
        s=70,
        cmap=COLOURS,
        edgecolors="black",
        linewidths=0.8,
        label="measured, Pareto front",
        zorder=4,
    )
    if plot.best is not None:
        x, y, _ = plot.points([plot.best])
        axes.scatter(
            x, y, s=260, facecolors="none", edgecolors=BEST_COLOUR, linewidths=2, label="chosen pair", zorder=5
        )
    for bound in plot.bounds_across:
        axes.axvline(bound, color=BEST_COLOUR, linewidth=1, linestyle="--", zorder=0)
    for bound in plot.accuracy_bounds:
        axes.axhline(bound, color=BEST_COLOUR, linewidth=1, linestyle="--", zorder=0)
    figure.colorbar(marks, ax=axes, label=plot.label(plot.colour))
    axes.set(title=plot.title, xlabel=plot.label(plot.across), ylabel=plot.y_label, xscale="log")
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if not plot.scored:
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    plain(axes, which="both")
    axes.legend(loc="lower right", frameon=True, framealpha=0.9)
    return rendered(figure)


def front_html(plot: FrontPlot) -> str:
    """The plot as a page that needs no network; hovering shows the architecture and the accelerator."""
    figure = go.Figure()
    figure.add_trace(_scatter(plot, plot.modelled, "modelled only", {"size": 6, "color": MODELLED_COLOUR}))
    dominated = {"size": 8, "color": "white", "line": {"width": 1.2, "color": "#5b6573"}}
    figure.add_trace(_scatter(plot, plot.dominated, "measured, dominated", dominated))
    x, y = plot.staircase
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            line={"shape": "hv", "color": "#39424e", "width": 1},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    front = {
        "size": 13,
        "color": plot.points(plot.front)[2],
        "colorscale": COLOURS.capitalize(),
        "colorbar": {"title": {"text": plot.label(plot.colour).replace(" (", "<br>(")}},
        "line": {"width": 1, "color": "black"},
    }
    figure.add_trace(_scatter(plot, plot.front, "measured, Pareto front", front))
    if plot.best is not None:
        ring = {"size": 24, "symbol": "circle-open", "color": BEST_COLOUR, "line": {"width": 3}}
        figure.add_trace(_scatter(plot, [plot.best], "chosen pair", ring))
    for bound in plot.bounds_across:
        figure.add_vline(bound, line={"color": BEST_COLOUR, "width": 1, "dash": "dash"})
    for bound in plot.accuracy_bounds:
        figure.add_hline(bound, line={"color": BEST_COLOUR, "width": 1, "dash": "dash"})
    figure.update_layout(
        title=plot.title,
        template="plotly_white",
        legend={"x": 0.99, "y": 0.01, "xanchor": "right", "yanchor": "bottom"},
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(title=plot.label(plot.across), type="log")
    figure.update_yaxes(title=plot.y_label, tickformat="" if plot.scored else ".1%")
    html: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return html


def _scatter(plot: FrontPlot, evaluations: Sequence[Evaluation], name: str, marker: dict[str, object]) -> go.Scatter:
    x, y, _ = plot.points(evaluations)
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        name=name,
        marker=marker,
        text=[_hover(plot, evaluation) for evaluation in evaluations],
        hovertemplate="%{text}<extra></extra>",
    )


def _hover(plot: FrontPlot, evaluation: Evaluation) -> str:
    metrics = evaluation.metrics(plot.clock_mhz)
    accelerator = ", ".join(f"{name} {value}" for name, value in config_values(evaluation.pair.accelerator).items())
    prefix = "" if evaluation.tier is Tier.MEASURED else "about "
    rate = evaluation.gmac_per_s(plot.clock_mhz)
    energy = "not recorded" if evaluation.energy_uj is None else f"{evaluation.energy_uj:.4g} uJ, estimated"
    return "<br>".join(
        [
            f"<b>{evaluation.pair.architecture}</b>",
            accelerator,
            f"accuracy {evaluation.accuracy_text} ({evaluation.accuracy_tier})",
            f"{prefix}{metrics['cycles']:,.0f} cycles, {metrics['latency_ms']:.4g} ms ({evaluation.tier.value})",
            "GMAC/s not recorded" if rate is None else f"{rate:.4g} GMAC/s",
            f"energy {energy} ({ENERGY_TABLE.name})",
            f"{metrics['multipliers']:.0f} multipliers, {metrics['lut_equivalents']:,.0f} LUT equivalents (proxy)",
        ]
    )
