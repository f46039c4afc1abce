"""What the pairs of a front take of a device, as a table for people: modelled, found, and the one over the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from rich.table import Table

from flows.pairs.evaluation import Evaluation
from flows.search.front_implementation import OnDevice
from flows.search.results import Results

RESOURCES = {"lut": "LUT", "ff": "flip-\nflops", "dsp": "multi-\npliers", "bram": "block\nmemories"}
"""Headings of the fields of ``Resources``."""


def device_table(results: Results, marks: Sequence[str]) -> Table:
    """Of the front's pairs, each with its mark; the first of its rows is at the clock that the search was given."""
    (device,) = {on_device.device for on_device in results.on_device.values()}
    table = Table(title=f"The front on {device}, at {results.clock_mhz:g} MHz where nothing else was found")
    table.add_column("")
    table.add_column("", no_wrap=True)
    for heading in (*RESOURCES.values(), "clock\nMHz", "latency\nms", "rate\nGMAC/s"):
        table.add_column(heading, justify="right")
    for mark, evaluation in zip(marks, results.front, strict=True):
        for row in _rows(results.on_device[evaluation.pair.accelerator], evaluation, results.clock_mhz):
            table.add_row(mark, *row)
            mark = ""
        table.add_section()
    return table


def _rows(on_device: OnDevice, evaluation: Evaluation, clock_mhz: float) -> list[list[str]]:
    """The cells of a pair's rows."""
    evaluation = replace(evaluation, on_chip=None)
    modelled = _counts(asdict(on_device.modelled))
    rows = [["modelled", *modelled, f"{clock_mhz:g}", *speed_cells(evaluation, clock_mhz)]]
    if on_device.found is None:
        return rows
    counts, ratios = _counts(asdict(on_device.found.resources)), on_device.found_over_modelled(clock_mhz)
    shares = [f"{ratios[name]:.3f}" for name in RESOURCES]
    fmax_mhz = on_device.found.fmax_mhz
    if fmax_mhz is None:
        return [*rows, [on_device.found.stage, *counts], ["found / modelled", *shares]]
    faster = f"{fmax_mhz / clock_mhz:.3f}"
    return [
        *rows,
        [on_device.found.stage, *counts, f"{fmax_mhz:.1f}", *speed_cells(evaluation, fmax_mhz)],
        ["found / modelled", *shares, faster, f"{ratios['latency_ms']:.3f}", faster],
    ]


def speed_cells(evaluation: Evaluation, clock_mhz: float) -> list[str]:
    """A pair's latency in milliseconds and its GMAC/s, where its MACs are known."""
    rate = evaluation.gmac_per_s(clock_mhz)
    return [f"{evaluation.metrics(clock_mhz)['latency_ms']:.4g}", "" if rate is None else f"{rate:.4g}"]


def _counts(resources: dict[str, float]) -> list[str]:
    return [f"{resources[name]:,.0f}" for name in RESOURCES]


def refusals(results: Results, marks: Sequence[str]) -> list[str]:
    """Why accelerators of the front cannot be implemented: the last that was said of each."""
    if not results.on_device:
        return []
    pairs = zip(marks, (results.on_device[member.pair.accelerator] for member in results.front), strict=True)
    return [
        f"{mark:>2}  cannot be implemented: {on_device.refused.strip().splitlines()[-1]}"
        for mark, on_device in pairs
        if on_device.refused is not None
    ]
