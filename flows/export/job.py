"""``cosynth export``: an accelerator for other tools, as Verilog, scripts of Vivado, and a core of FuseSoC."""

from __future__ import annotations

from pathlib import Path

from flows.accelerators import accelerator_summary
from flows.export.fusesoc import core_file
from flows.export.interface_document import interface_document
from flows.export.vivado import vivado_files
from flows.files import new_directory
from flows.implement.amd.devices import Device
from flows.implement.ecp5.boundary import PINS, boundary_verilog
from flows.implement.ecp5.devices import DEVICES as ECP5_DEVICES
from hwgen.config import AcceleratorConfig
from hwgen.files import write_bytes
from hwgen.verilog import TOP_MODULE, emit
from sim.system import HDL

WAIVERS = "waivers.vlt"
ECP5 = ECP5_DEVICES["ecp5-85k"]


def export(output: Path, config: AcceleratorConfig, device: Device, clock_mhz: float) -> None:
    """Write the accelerator into the new directory ``output``. Raises InputError where ``output`` is occupied."""
    verilog = emit(config)
    texts = {
        f"{TOP_MODULE}.v": verilog,
        "interface.md": interface_document(verilog),
        "cosynth.core": core_file(accelerator_summary(config), device, ECP5),
        WAIVERS: (HDL / WAIVERS).read_text(encoding="utf-8"),
        **{f"vivado/{name}": text for name, text in vivado_files(config, device, clock_mhz).items()},
        "ecp5/boundary.v": boundary_verilog(config),
        "ecp5/pins.lpf": PINS,
    }
    with new_directory(output) as directory:
        for name, text in texts.items():
            (directory / name).parent.mkdir(exist_ok=True)
            write_bytes(directory / name, text.encode())
