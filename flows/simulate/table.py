"""A simulation's report as a table for people."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from hwgen.energy import ENERGY_TABLES


def print_simulation(values: dict[str, Any], console: Console) -> None:
    """``flows.simulate.job.simulation_values`` as a table of layers and a summary."""
    accelerator = values["accelerator"]
    title = f"{values['network']} on {accelerator['rows']}x{accelerator['cols']}, measured in RTL"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("layer", "operator"):
        table.add_column(heading, overflow="fold")
    for heading in ("MACs", "compute\nbound", "bus\nbound", "cycles", "of peak"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("the array waits")
    for layer in values["layers"]:
        table.add_row(
            layer["name"],
            layer["op"],
            f"{layer['macs']:,}",
            f"{layer['bound_cycles']['compute']:,}",
            f"{layer['bound_cycles']['bus']:,}",
            f"{layer['cycles']:,}",
            f"{layer['utilization']:.1%}" if layer["macs"] else "",
            _stall_causes(layer),
        )
    table.add_section()
    bounds = [sum(layer["bound_cycles"][kind] for layer in values["layers"]) for kind in ("compute", "bus")]
    cycles = [f"{count:,}" for count in (*bounds, values["cycles"])]
    table.add_row("total", "", f"{values['macs']:,}", *cycles, f"{values['utilization']:.1%}")
    console.print(table)
    print_summary(values, console)
    console.print(
        f"simulator ready in {values['build_seconds']:.1f} s, ran for {values['sim_seconds']:.1f} s "
        f"({values['sim_cycles_per_second'] / 1e6:.2f} Mcycles/s)"
    )


def print_summary(values: dict[str, Any], console: Console) -> None:
    """What ``flows.simulate.run.run_values`` says of the whole network."""
    error = values["predicted_cycles"] / values["cycles"] - 1
    console.print(f"the cycle model predicts {values['predicted_cycles']:,} cycles ({error:+.2%})")
    verdict = "bit-exact with the reference" if values["bit_exact"] else "NOT bit-exact with the reference"
    console.print(f"{values['samples']} sample(s), {verdict}")
    console.print(
        f"memory: {values['dram_read_bytes']:,} bytes read, {values['dram_write_bytes']:,} written; "
        f"bus {values['memory']['bus_bits']} bits, latency {values['memory']['latency_cycles']} cycles"
    )
    for energies in ENERGY_TABLES:
        console.print(f"energy, estimated: {values['energy_uj'][energies.name]:.1f} uJ ({energies.source})")


def _stall_causes(layer: dict[str, Any]) -> str:
    """The causes of a layer's stalls that cost more than a hundredth of its cycles, the worst first."""
    causes = sorted(layer["stall_cycles"].items(), key=lambda cause: -cause[1])
    shares = ((name.replace("_", " "), count / max(1, layer["cycles"])) for name, count in causes)
    return ", ".join(f"{name} {share:.0%}" for name, share in shares if share >= 0.01)
