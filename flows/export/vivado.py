"""What Vivado needs to package and to implement an accelerator: scripts, their settings, and the clock."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files

from flows.accelerators import accelerator_summary
from flows.implement.amd.devices import Device
from hwgen.config import AcceleratorConfig
from hwgen.rtl.accelerator import accelerator_ports
from hwgen.rtl.control_registers import ADDRESS_BITS
from hwgen.verilog import TOP_MODULE

SCRIPTS = ("package_ip.tcl", "implement.tcl", "out_of_context.tcl")
INTERFACES = ("m_axi", "s_axil")


def vivado_files(config: AcceleratorConfig, device: Device, clock_mhz: float) -> dict[str, str]:
    """Texts by file name; the scripts look for ``cosynth_accelerator.v`` in the directory above theirs."""
    scripts = {name: files("flows.export").joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS}
    return {**scripts, "settings.tcl": _settings(config, device, clock_mhz), "clock.xdc": clock_constraint(clock_mhz)}


def clock_constraint(clock_mhz: float) -> str:
    """The clock as a Xilinx design constraint. Paths from and to ports are left to what the accelerator is put into."""
    return f"create_clock -name clk -period {1000 / clock_mhz:.3f} [get_ports clk]\n"


def _settings(config: AcceleratorConfig, device: Device, clock_mhz: float) -> str:
    ports = accelerator_ports(config)
    values = {
        "top": TOP_MODULE,
        "version": ".".join(version("cosynth").split(".")[:2]),  # Vivado's versions have two parts
        "description": f"int8 convolutional networks: {accelerator_summary(config)}",
        "part": device.part,
        "clock_mhz": f"{clock_mhz:g}",
        "register_bytes": str(2**ADDRESS_BITS),
        **{f"{name}_ports": " ".join(port for port in ports if port.startswith(f"{name}_")) for name in INTERFACES},
    }
    return "".join(f"set {name} {{{value}}}\n" for name, value in values.items())
