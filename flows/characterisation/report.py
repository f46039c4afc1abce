"""What was characterised and how far the models are off, as a page in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flows.characterisation.clock_model import FEWEST_ROWS
from flows.characterisation.job import PATIENCE_SECONDS
from flows.characterisation.rows import Row
from flows.characterisation.validation import FEWEST_FITTED, Errors, clock_errors, resource_errors, unlike_known

NAMES = {"lut": "LUTs", "ff": "flip-flops"}
TARGETS = {"lut": 0.05, "ff": 0.05}
"""Mean relative errors that are aimed for."""
CLOCK_TARGET, TAU_TARGET = 0.07, 0.75
ROWS_WANTED = 150
HEAD = """\
# Characterisation

What accelerators come to on an ECP5, and models of it for the search. Written by `make characterise`, which
implements a seeded plan of configurations (`flows/characterisation/plan.py`) one after the other, each in the boundary
of registers that `cosynth implement` uses, on the smallest device that has room for it. The rows are in
`flows/characterisation/ecp5.jsonl`, each with the hash of the Verilog and the versions of the tools that it was made of
and with. One that is there is not made again unless these have changed, and until then may be of an earlier generator;
`cosynth`'s own passes between Yosys and nextpnr are known by its version alone.
"""


def characterisation_page(rows: Sequence[Row]) -> str:
    """The page."""
    return "\n".join((HEAD, *_rows(rows), *_known(rows), *_resources(rows), *_clock(rows)))


def _rows(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return ["There are no rows yet.", ""]
    routed = sum(row.routed is not None for row in rows)
    refused = sum(row.refused is not None for row in rows)
    versions = sorted({f"{name} {version}" for row in rows for name, version in row.made.tools.items()})
    dataflows = {row.point.config.dataflow for row in rows}
    hours = sum(sum(row.seconds.values()) for row in rows) / 3600
    return [
        "## Rows",
        "",
        f"{len(rows)} configurations, {routed} of them placed and routed; of the others LUTs and flip-flops are those "
        f"**after synthesis, before place and route**. {refused} did not fit the device that was foreseen, or "
        f"were not routed within {PATIENCE_SECONDS // 3600} hours. Wanted are "
        f"{ROWS_WANTED}. They took {hours:.1f} hours on the clock of a machine that had other work. Tools: "
        f"{', '.join(versions)}.",
        "",
        "| | from | to |",
        "|---|---|---|",
        _span("multipliers in the array", rows, lambda row: row.point.config.multipliers),
        _span("requantisation lanes", rows, lambda row: row.point.config.requant_lanes),
        _span("bus bits", rows, lambda row: row.point.config.bus_bits),
        _span("activation buffer, KiB", rows, lambda row: row.point.config.act_buffer_kib),
        _span("LUTs", rows, lambda row: row.total("lut")),
        _span("flip-flops", rows, lambda row: row.total("ff")),
        "",
        f"Dataflows: {', '.join(sorted(dataflows))}. Beyond these spans the models extrapolate.",
        "",
    ]


def _span(name: str, rows: Sequence[Row], value: Callable[[Row], int]) -> str:
    values = [value(row) for row in rows]
    return f"| {name} | {min(values):,} | {max(values):,} |"


def _known(rows: Sequence[Row]) -> list[str]:
    unlike = len(unlike_known(rows))
    return [
        "## Multipliers and block memories",
        "",
        "Known from the configuration (`flows/implement/ecp5/resources.py`): the generator's products, and its "
        "memories as Yosys maps them, by its own prices. Equal to what synthesis yielded in "
        f"{len(rows) - unlike} of {len(rows)} rows.",
        "",
    ]


def _resources(rows: Sequence[Row]) -> list[str]:
    errors = resource_errors(rows)
    lines = [
        "## LUTs and flip-flops",
        "",
        "Of each part of the accelerator, a weighted sum of what its cells are taken for "
        "(`flows/characterisation/features.py`), by non-negative least squares. Weights are held to those expected of "
        "the RTL, each to about a half of itself, as far as the rows say nothing else: few rows correct them little.",
        "",
    ]
    if not errors:
        return [*lines, f"Errors are not known: {FEWEST_FITTED} rows at least are needed to leave some out.", ""]
    return [
        *lines,
        "Errors are of rows left out of the fit, by cross-validation.",
        "",
        "| | rows | mean error | worst | aim |",
        "|---|---|---|---|---|",
        *(
            f"| {NAMES[name]} | {error.rows} | {error.mean:.1%} | {error.worst:.1%} | {TARGETS[name]:.0%} mean: "
            f"{_verdict(error, met=error.mean <= TARGETS[name])} |"
            for name, error in errors.items()
        ),
        "",
    ]


def _verdict(error: Errors, *, met: bool) -> str:
    """Whether an aim is met; few rows do not decide it."""
    if error.rows < ROWS_WANTED:
        return f"not decided by fewer than {ROWS_WANTED} rows"
    return "met" if met else "missed"


def _clock(rows: Sequence[Row]) -> list[str]:
    routed = [row.routed for row in rows if row.routed is not None]
    lines = ["## Clock", ""]
    if routed:
        clocks = [found.fmax_mhz for found in routed]
        ratios = [row.routed.lut / row.total("lut") for row in rows if row.routed is not None]
        lines += [
            f"{len(routed)} placed and routed, speed grade {routed[0].speed_grade}, seed {routed[0].seed}: "
            f"{min(clocks):.1f} to {max(clocks):.1f} MHz. Placed and routed, they have {min(ratios):.3f} to "
            f"{max(ratios):.3f} of the LUTs that synthesis counts.",
            "",
        ]
    error = clock_errors(rows)
    return [*lines, _clock_error(error) if error else _no_clock(len(routed)), ""]


def _clock_error(error: Errors) -> str:
    verdict = _verdict(error, met=error.mean <= CLOCK_TARGET and error.tau >= TAU_TARGET)
    return (
        "Ridge regression of the clock's logarithm on sizes and how full the device is. Of "
        f"{error.rows} rows, each left out of the fit: mean error {error.mean:.1%}, worst {error.worst:.1%}, Kendall's "
        f"tau {error.tau:.2f}; the aim of {CLOCK_TARGET:.0%} and {TAU_TARGET} is {verdict}."
    )


def _no_clock(routed: int) -> str:
    return (
        f"There is no model of the clock: it takes {FEWEST_ROWS} rows that are placed and routed, and there are "
        f"{routed}. A search states latencies at the clock that it is given (`--clock-mhz`)."
    )
