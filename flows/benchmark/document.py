"""The page of benchmarks, from the data that ``flows.benchmark.job`` measures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

HEAD = """\
# Benchmarks

Written by `make bench`; the numbers are also in [benchmarks.json](benchmarks.json). Cycles are measured in RTL
simulation, one inference from start to done, with weights, input and output over a bus of 128 bits and a memory latency
of 32 cycles. Every output was compared with the reference. Utilisation is the share of the array's peak
multiply-accumulates; bus read is that of the bus's peak. Times are wall-clock: they say little where the machine had
other work, as its load average tells.
"""


def benchmark_document(values: dict[str, Any]) -> str:
    """The page, in Markdown."""
    sections = [
        HEAD,
        "## MLPerf Tiny\n",
        _tiny(values["tiny"]),
        _sources(row["peers"] for row in values["tiny"]),
        "## An array tuned to each network\n",
        _tuned(values["tuned"]),
        "Of all shapes, dataflows and register-file depths that max256's multipliers, buffers and bus allow.\n",
        "## ResNet-8's convolutions on a systolic array of 16x16\n",
        _table(
            ("dataflow", "cycles", "source"),
            ((name, _count(row["cycles"]), row["source"]) for name, row in values["systolic"].items()),
        ),
        "## ImageNet, 224x224, 256 multipliers\n",
        _imagenet(values["imagenet"]),
        "The peers' shares of their peak are those of their own publications.\n",
        "## The cycle model\n",
        _model([*values["tiny"], *values["imagenet"]]),
        "## Simulation\n",
        _simulators(values["simulators"]),
        "## Machine\n",
        _table(("", ""), values["machine"].items()),
    ]
    return "\n".join(sections)


def _tiny(rows: Sequence[dict[str, Any]]) -> str:
    headings = ("network", "preset", "bit-exact", "MACs", "cycles", "utilisation", "bus read", "Ethos-U55")
    return _table(
        headings,
        (
            (
                row["network"],
                row["preset"],
                _exact(row),
                _count(row["macs"]),
                _count(row["cycles"]),
                _share(row["utilization"]),
                _share(row["bus_utilization"]),
                "; ".join(
                    f"{name.rpartition('-')[2]}: {_count(peer['cycles'])} "
                    f"({_share(row['macs'] / peer['cycles'] / int(name.rpartition('-')[2]))})"
                    for name, peer in row["peers"].items()
                ),
            )
            for row in rows
        ),
    )


def _sources(peers: Iterable[dict[str, dict[str, Any]]]) -> str:
    found = {peer["source"] for row in peers for peer in row.values()}
    return f"Ethos-U55 by MACs per cycle: cycles and utilisation; {', '.join(sorted(found))}.\n"


def _tuned(rows: Sequence[dict[str, Any]]) -> str:
    headings = ("network", "array", "dataflow", "register file", "bit-exact", "cycles", "utilisation")
    return _table(
        headings,
        (
            (
                row["network"],
                f"{row['rows']}x{row['cols']}",
                row["dataflow"],
                str(row["rf_depth"]),
                _exact(row),
                _count(row["cycles"]),
                _share(row["utilization"]),
            )
            for row in rows
        ),
    )


def _imagenet(rows: Sequence[dict[str, Any]]) -> str:
    headings = ("network", "bit-exact", "MACs", "cycles", "utilisation", "peers", "simulated in")
    return _table(
        headings,
        (
            (
                row["network"],
                _exact(row),
                _count(row["macs"]),
                _count(row["cycles"]),
                _share(row["utilization"]),
                ", ".join(f"{name} {_share(share)}" for name, share in row["peers_utilization"].items()),
                f"{row['sim_seconds']:.0f} s",
            )
            for row in rows
        ),
    )


def _model(rows: Sequence[dict[str, Any]]) -> str:
    headings = (
        "network",
        "preset",
        "predicted",
        "simulated",
        "error",
        "largest error of a layer",
        "time of a prediction",
    )
    return _table(
        headings,
        (
            (
                row["network"],
                row["preset"],
                _count(row["predicted_cycles"]),
                _count(row["cycles"]),
                f"{row['predicted_cycles'] / row['cycles'] - 1:+.3%}",
                f"{row['largest_layer_error']:.3%}",
                f"{row['prediction_seconds'] * 1e3:.0f} ms",
            )
            for row in rows
        ),
    )


def _simulators(rows: Sequence[dict[str, Any]]) -> str:
    headings = ("preset", "multipliers", "Verilog written in", "simulator built in", "found when built in", "speed")
    return _table(
        headings,
        (
            (
                row["preset"],
                str(row["multipliers"]),
                f"{row['verilog_seconds']:.1f} s",
                f"{row['build_seconds']:.1f} s",
                f"{row['start_seconds'] * 1e3:.0f} ms",
                f"{row['cycles_per_second'] / 1e3:,.0f} kHz",
            )
            for row in rows
        ),
    )


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _exact(row: dict[str, Any]) -> str:
    return "yes" if row["bit_exact"] else "NO"


def _count(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def _share(value: float) -> str:
    return f"{value:.1%}"
