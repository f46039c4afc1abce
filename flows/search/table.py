"""A search's results as a table for people."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from flows.accelerators import accelerator_summary
from flows.search.chip_correction import stated_clock
from flows.search.device_table import device_table, refusals, speed_cells
from flows.search.results import BEST, Results
from flows.search.results import FILE_NAME as RESULTS
from flows.search.tier_costs import tier_cost_lines


def print_results(results: Results, run: Path, console: Console) -> None:
    """The front as a table, the chosen pair marked, and where everything lies."""
    bounds = f", {', '.join(results.constraints)}" if results.constraints else ""
    compared = ", ".join(results.objectives.names)
    clock = stated_clock(results.front, results.clock_mhz)
    table = Table(title=f"Pareto front of {compared}: {results.title}, {clock}{bounds}")
    table.add_column("")
    table.add_column("accelerator", no_wrap=True)
    tiers = ", ".join({evaluation.accuracy_tier for evaluation in results.front})
    for heading in (
        f"accuracy\n{tiers}",
        "cycles\nRTL",
        "latency\nms",
        "rate\nGMAC/s",
        "energy\nuJ, est.",
        "LUT eq.\nproxy",
    ):
        table.add_column(heading, justify="right")
    marks = ["*" if evaluation is results.best else str(n) for n, evaluation in enumerate(results.front, start=1)]
    for mark, evaluation in zip(marks, results.front, strict=True):
        metrics = evaluation.metrics(results.clock_mhz)
        table.add_row(
            mark,
            accelerator_summary(evaluation.pair.accelerator),
            evaluation.accuracy_text,
            f"{metrics['cycles']:,.0f}",
            *speed_cells(evaluation, results.clock_mhz),
            "" if evaluation.energy_uj is None else f"{evaluation.energy_uj:.4g}",
            f"{metrics['lut_equivalents']:,}",
        )
    console.print(table)
    if results.on_device:
        console.print(device_table(results, marks))
    for mark, evaluation in zip(marks, results.front, strict=True):
        console.print(f"{mark:>2}  {evaluation.pair.architecture}", soft_wrap=True, highlight=False)
    sources = {(member.accuracy_tier, member.accuracy_provenance) for member in results.front}
    lines = (
        *(f"accuracy, {tier}: {provenance}" for tier, provenance in sorted(sources)),
        *tier_cost_lines(results.costs),
        *refusals(results, marks),
        f" *  is the chosen pair; its Verilog, program and verification: {run / BEST}",
        f"plots of the front: {run / 'pareto.html'}, {run / 'pareto.png'}; its data: {run / RESULTS}",
    )
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)
