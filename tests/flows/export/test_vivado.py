"""The exported scripts of Vivado, run to their end on a stand-in for it: what they say of files and ports is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("tkinter", reason="Python was built without Tcl, which runs the scripts")

import tkinter

from flows.export.job import export
from flows.implement.amd.devices import DEVICES
from hwgen.config import AcceleratorConfig
from hwgen.rtl.control_registers import ADDRESS_BITS
from tests.flows.export.vivado import CORE, Vivado

WRITE = ("awaddr", "awprot", "awvalid", "awready", "wdata", "wstrb", "wvalid", "wready", "bresp", "bvalid", "bready")
READ = ("araddr", "arprot", "arvalid", "arready", "rdata", "rresp", "rvalid", "rready")
AXI4_LITE = {*WRITE, *READ}
AXI4 = AXI4_LITE | {f"{channel}{name}" for channel in ("aw", "ar") for name in ("id", "len", "size", "burst", "cache")}
AXI4 |= {"wlast", "rlast", "bid", "rid"}
"""Signals of AMBA AXI that Vivado's aximm_rtl has; the others of AXI4 have defaults."""
FROM_SLAVE = {"awready", "wready", "bid", "bresp", "bvalid", "arready", "rid", "rdata", "rresp", "rlast", "rvalid"}
DEVICE = DEVICES["xczu3eg"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("export") / "with a space"
    export(output, AcceleratorConfig(rows=2, cols=2, rf_depth=2, requant_lanes=1, bus_bits=128), DEVICE, clock_mhz=125)
    return output


@pytest.fixture(scope="module")
def ports(directory: Path) -> dict[str, str]:
    """Direction of each port of the Verilog's top module."""
    text = (directory / "cosynth_accelerator.v").read_text()
    module = text[text.index("module cosynth_accelerator(") :].split("endmodule")[0]
    return {
        name: direction for direction, name in re.findall(r"^\s*(input|output) (?:\[\d+:0\] )?(\w+);", module, re.M)
    }


def interface(name: str) -> str:
    return f"{CORE}/bus_interface:{name}"


@pytest.mark.parametrize(
    "inferred",
    [(), (interface("m_axi"), f"{CORE}/address_space:m_axi", f"{CORE}/memory_map:s_axil")],
    ids=["nothing inferred", "objects inferred"],
)
def test_the_ip_has_its_interfaces_with_clock_reset_and_addresses(
    directory: Path, ports: dict[str, str], inferred: tuple[str, ...]
) -> None:
    vivado = Vivado(inferred=inferred)
    vivado.run(directory / "vivado" / "package_ip.tcl")
    (added,) = vivado.arguments("add_files")
    assert [Path(file).resolve() for file in vivado.words(added[-1])] == [directory / "cosynth_accelerator.v"]
    assert ("top", "cosynth_accelerator", "current_fileset") in vivado.arguments("set_property")

    given = {vivado.words(names): kind.split(":")[2] for names, kind, _ in vivado.arguments("ipx::infer_bus_interface")}
    assert sorted(given.values()) == ["aximm_rtl", "aximm_rtl", "clock_rtl", "interrupt_rtl", "reset_rtl"]
    assert {name for names in given for name in names} == set(ports) - {"retire"}

    assert vivado.properties[f"{interface('rst')}/bus_parameter:POLARITY"] == {"value": "ACTIVE_HIGH"}
    assert vivado.arguments("ipx::associate_bus_interfaces") == [
        ("-busif", interface("m_axi"), "-clock", interface("clk"), CORE),
        ("-busif", interface("s_axil"), "-clock", interface("clk"), CORE),
        ("-clock", interface("clk"), "-reset", interface("rst"), CORE),
    ]
    assert vivado.properties[f"{CORE}/address_space:m_axi"] == {"range": "4G", "width": "32"}
    assert vivado.properties[interface("m_axi")] == {"master_address_space_ref": "m_axi"}
    assert vivado.properties[interface("s_axil")] == {"slave_memory_map_ref": "s_axil"}
    registers = vivado.properties[f"{CORE}/memory_map:s_axil/address_block:registers"]
    assert registers == {"range": str(2**ADDRESS_BITS), "width": "32", "usage": "register"}
    assert [name for name, *_ in vivado.calls[-3:]] == ["ipx::check_integrity", "ipx::save_core", "close_project"]


def test_its_ports_are_axi_by_name_and_direction(directory: Path, ports: dict[str, str]) -> None:
    vivado = Vivado()
    vivado.run(directory / "vivado" / "package_ip.tcl")
    inferred = [vivado.words(names) for names, *_ in vivado.arguments("ipx::infer_bus_interface")]
    given = {names[0].rpartition("_")[0]: names for names in inferred}
    for prefix, signals, is_slave in (("m_axi", AXI4, False), ("s_axil", AXI4_LITE, True)):
        names = given[prefix]
        assert {name.removeprefix(f"{prefix}_") for name in names} == signals
        for name in names:
            driven = (name.removeprefix(f"{prefix}_") in FROM_SLAVE) == is_slave
            assert ports[name] == ("output" if driven else "input")


@pytest.mark.parametrize("script", ["package_ip.tcl", "implement.tcl"])
def test_the_part_is_the_devices_or_the_one_that_the_user_names(directory: Path, script: str) -> None:
    for arguments, part in (((), DEVICE.part), (("xcvu9p-flga2104-2L-e",), "xcvu9p-flga2104-2L-e")):
        vivado = Vivado()
        vivado.run(directory / "vivado" / script, *arguments)
        (project,) = vivado.arguments("create_project")
        assert project[-2:] == ("-part", part)


def test_an_interface_that_vivado_does_not_infer_stops_the_packaging(directory: Path) -> None:
    vivado = Vivado()
    vivado.infers = False
    with pytest.raises(tkinter.TclError, match="interface rst was not inferred"):
        vivado.run(directory / "vivado" / "package_ip.tcl")
    assert not vivado.arguments("ipx::save_core")


def test_implementation_is_out_of_context_and_says_the_clock(directory: Path, ports: dict[str, str]) -> None:
    vivado = Vivado(slack=1.75)
    vivado.run(directory / "vivado" / "implement.tcl")
    added = [Path(file) for files in vivado.arguments("add_files") for file in vivado.words(files[-1])]
    assert [file.resolve() for file in added] == [
        directory / "cosynth_accelerator.v",
        directory / "vivado" / "clock.xdc",
    ]
    properties, commands = vivado.arguments("set_property"), [name for name, *_ in vivado.calls]
    assert any("-mode out_of_context" in words for words in properties)
    launched = [position for position, name in enumerate(commands) if name == "launch_runs"]
    assert [vivado.calls[position][1] for position in launched] == ["synth_1", "impl_1"]
    assert "set_property" not in commands[launched[0] :]
    assert {Path(call[-1]).name for call in vivado.calls if call[0].startswith("report_")} == {
        "timing.rpt",
        "utilisation.rpt",
        "utilisation_by_component.rpt",
    }
    # 1.75 of the 8 ns are left over
    assert vivado.said[-1].startswith(f"{DEVICE.part}: slack 1.750 ns at 125 MHz, so at most 160.0 MHz")


def test_a_run_that_fails_stops_the_script(directory: Path) -> None:
    with pytest.raises(tkinter.TclError, match="synth_1 failed: synth_design ERROR"):
        Vivado(progress="42%").run(directory / "vivado" / "implement.tcl")


def test_the_constraint_is_the_clocks_period_at_its_port(directory: Path, ports: dict[str, str]) -> None:
    vivado = Vivado()
    vivado.run(directory / "vivado" / "clock.xdc")
    assert vivado.calls == [("get_ports", "clk"), ("create_clock", "-name", "clk", "-period", "8.000", "get_ports clk")]
    assert ports["clk"] == "input"
