"""``cosynth synthesise``: what an accelerator takes of an AMD device, by synthesis alone."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.accelerators import config_values
from flows.files import new_directory, refuse_occupied, write_json
from flows.implement.amd.devices import Device, refuse_oversized, resources, utilisation
from flows.implement.amd.synthesis import synthesise
from flows.implement.netlist import Netlist
from flows.progress import shown_on
from hwgen.config import AcceleratorConfig
from hwgen.files import write_bytes

TOOLS = ("cosynth", "amaranth", "pyosys")
STAGE = (
    "after synthesis by Yosys, before place and route: no clock, and LUTs one for each cell, of which a packer may let "
    "two share one"
)


def run_synthesis(output: Path, config: AcceleratorConfig, device: Device, console: Console) -> dict[str, Any]:
    """Synthesise ``config`` and write Verilog and report into the directory ``output``; returns the report.

    Raises InputError where ``output`` is occupied or the accelerator does not fit, ImplementationError where Yosys
    fails.
    """
    refuse_occupied(output)
    with console.status("synthesis") as status:
        netlist = synthesise(config, device, shown_on(status))
    refuse_oversized(device, resources(netlist.cells))
    report = synthesis_values(config, device, netlist)
    with new_directory(output) as directory:
        write_bytes(directory / "accelerator.v", netlist.verilog.encode())
        write_json(directory / "synthesis.json", report)
    return report


def synthesis_values(config: AcceleratorConfig, device: Device, netlist: Netlist) -> dict[str, Any]:
    """Everything that was found, as JSON values."""
    used = resources(netlist.cells)
    return {
        "accelerator": config_values(config),
        "device": device.name,
        "stage": STAGE,
        "resources": asdict(used),
        "utilization": {
            what: {"used": count, "available": limit} for what, (count, limit) in utilisation(used, device).items()
        },
        "components": {name: asdict(resources(cells)) for name, cells in netlist.components().items()},
        "cells": dict(sorted(netlist.cells.items())),
        "seconds": netlist.synth_seconds,
        "tools": {name: version(name) for name in TOOLS},
    }


def print_synthesis(report: dict[str, Any], output: Path, console: Console) -> None:
    """The report for people: resources by component, and what the device has of them."""
    table = Table(title=f"{report['device']}, post-synthesis")
    table.add_column("component")
    headings = ("LUT", "FF", "DSP48", "36 Kbit\nmemories", "18 Kbit\nmemories", "LUTs as\nmemory", "LUTs that\nshift")
    for heading in headings:
        table.add_column(heading, justify="right")
    for name, used in report["components"].items():
        table.add_row(name, *(f"{count:,}" if count else "" for count in used.values()))
    table.add_section()
    table.add_row("all", *(f"{count:,}" for count in report["resources"].values()))
    console.print(table)
    for what, use in report["utilization"].items():
        share = use["used"] / use["available"]
        console.print(f"{what:<18}{use['used']:>8,} of {use['available']:>7,}  {share:>4.0%}", highlight=False)
    console.print(f"figures are {report['stage']}", soft_wrap=True, highlight=False)
    console.print(f"files in {output}: accelerator.v, synthesis.json", soft_wrap=True, highlight=False)
