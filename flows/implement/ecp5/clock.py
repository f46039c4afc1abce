"""The clock that the ``default`` preset reaches on an ECP5-85k, in each dataflow, as a table: run by ``make clock``."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console
from rich.table import Table

from flows.implement.ecp5.devices import DEVICES
from flows.implement.ecp5.place_and_route import Implementation, place_and_route
from flows.implement.ecp5.synthesis import synthesise
from flows.implement.netlist import Netlist
from hwgen.config import PRESETS, Dataflow

DEVICE = DEVICES["ecp5-85k"]
SPEED_GRADE = 6
SEED = 1


def clock_table(rows: dict[Dataflow, tuple[Netlist, Implementation]]) -> Table:
    """Fmax, cells and the critical path of each dataflow."""
    table = Table(title=f"`default`, placed and routed on {DEVICE.name}, speed grade {SPEED_GRADE}")
    table.add_column("dataflow")
    for heading in ("Fmax\nMHz", "LUT", "FF", "DSP", "block\nRAM", "synthesis\ns", "place, route\ns"):
        table.add_column(heading, justify="right")
    table.add_column("critical path")
    for dataflow, (netlist, result) in rows.items():
        path = result.critical_path
        table.add_row(
            dataflow,
            f"{result.fmax_mhz:.1f}",
            *(f"{cells.used:,}" for cells in (result.lut, result.ff, result.dsp, result.bram)),
            f"{netlist.synth_seconds:.0f}",
            f"{result.seconds:.0f}",
            f"{path.start} to {path.end}: {path.delay_ns:.1f} ns, {path.routing_ns:.1f} ns of it routing",
        )
    return table


def main() -> None:
    """Implement every dataflow and print the table."""
    rows = {}
    console = Console(stderr=True)
    for dataflow in Dataflow:
        config = replace(PRESETS["default"], dataflow=dataflow)
        with console.status(f"{dataflow}: synthesis") as status:
            netlist = synthesise(config, DEVICE.dsp, watch=lambda _: None)
            status.update(f"{dataflow}: placement and routing, after {netlist.synth_seconds:.0f} s")
            rows[dataflow] = (netlist, place_and_route(netlist, DEVICE, SPEED_GRADE, SEED, watch=lambda _: None))
    Console().print(clock_table(rows))


if __name__ == "__main__":
    main()
