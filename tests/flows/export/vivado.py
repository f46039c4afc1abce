"""A stand-in for Vivado's Tcl: its commands, by name and options, record what they are given, and keep objects.

A command or an option that is not here is an error. What is here is in AMD's UG835, and the packager's commands, which
that guide leaves out, are as public scripts use them.
"""

from __future__ import annotations

import tkinter
from collections.abc import Sequence
from pathlib import Path

OPTIONS_WITH_VALUE: dict[str, set[str]] = {
    "create_project": {"-part"},
    "add_files": {"-fileset"},
    "set_property": {"-name", "-value", "-objects"},
    "current_fileset": set(),
    "update_compile_order": {"-fileset"},
    "get_files": set(),
    "get_runs": set(),
    "get_ports": set(),
    "launch_runs": {"-jobs"},
    "wait_on_run": set(),
    "open_run": set(),
    "get_property": set(),
    "get_timing_paths": {"-max_paths", "-nworst"},
    "report_timing_summary": {"-file"},
    "report_utilization": {"-file"},
    "create_clock": {"-name", "-period"},
    "close_project": set(),
    "ipx::package_project": {"-root_dir", "-vendor", "-library", "-taxonomy", "-set_current"},
    "ipx::current_core": set(),
    "ipx::remove_all_bus_interface": set(),
    "ipx::remove_all_memory_map": set(),
    "ipx::infer_bus_interface": set(),
    "ipx::associate_bus_interfaces": {"-busif", "-clock", "-reset"},
    "ipx::get_bus_interfaces": {"-of_objects"},
    "ipx::get_bus_parameters": {"-of_objects"},
    "ipx::get_address_spaces": {"-of_objects"},
    "ipx::get_memory_maps": {"-of_objects"},
    "ipx::get_address_blocks": {"-of_objects"},
    "ipx::add_bus_parameter": set(),
    "ipx::add_address_space": set(),
    "ipx::add_memory_map": set(),
    "ipx::add_address_block": set(),
    "ipx::create_xgui_files": set(),
    "ipx::update_checksums": set(),
    "ipx::check_integrity": set(),
    "ipx::save_core": set(),
}
FLAGS = {
    "create_project": {"-force"},
    "add_files": {"-norecurse"},
    "get_timing_paths": {"-setup"},
    "report_utilization": {"-hierarchical"},
    "close_project": {"-delete"},
    "ipx::package_project": {"-import_files"},
    **{name: {"-quiet"} for name in OPTIONS_WITH_VALUE if name.startswith("ipx::get_")},
}
CORE = "core"


class Vivado:
    """Runs scripts. Packaging leaves the objects ``inferred``; runs come as far as ``progress``."""

    def __init__(self, *, inferred: Sequence[str] = (), progress: str = "100%", slack: float = 0.5) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.objects = {CORE, *inferred}
        self.properties: dict[str, dict[str, str]] = {}
        self.said: list[str] = []
        self.infers = True
        self._values = {"PROGRESS": progress, "STATUS": "synth_design ERROR", "SLACK": str(slack)}
        self._tcl = tkinter.Tcl()
        for namespace in {name.rpartition("::")[0] for name in OPTIONS_WITH_VALUE if "::" in name}:
            self._tcl.eval(f"namespace eval {namespace} {{}}")
        for name in OPTIONS_WITH_VALUE:
            self._tcl.createcommand(name, lambda *arguments, name=name: self._call(name, arguments))
        self._tcl.createcommand("puts", self.said.append)

    def run(self, script: Path, *arguments: str) -> None:
        """Raises tkinter.TclError where the script fails."""
        self._tcl.setvar("argc", str(len(arguments)))
        self._tcl.setvar("argv", " ".join(arguments))
        self._tcl.call("source", str(script))

    def words(self, text: str) -> tuple[str, ...]:
        """The elements of a Tcl list."""
        return tuple(map(str, self._tcl.splitlist(text)))

    def arguments(self, command: str) -> list[tuple[str, ...]]:
        """Of each call of ``command``."""
        return [call[1:] for call in self.calls if call[0] == command]

    def _call(self, name: str, arguments: tuple[object, ...]) -> str:
        given = tuple(map(str, arguments))
        self.calls.append((name, *given))
        options, positional = self._parse(name, given)
        match name.removeprefix("ipx::").split("_", 1):
            case ["current", "core"]:
                return CORE
            case ["remove", kind]:
                self.objects = {found for found in self.objects if f"{kind.removeprefix('all_')}:" not in found}
            case ["infer", _]:
                self._infer(self.words(positional[0]), positional[2])
            case ["get", "property"]:
                return self._values[positional[0]]
            case ["get", kind] if name.startswith("ipx::"):
                found = f"{options['-of_objects']}/{kind.removesuffix('s')}:{positional[0]}"
                return found if found in self.objects else ""
            case ["add", kind] if name.startswith("ipx::"):
                added = f"{self._known(positional[1])}/{kind}:{positional[0]}"
                if added in self.objects:
                    raise ValueError(f"{added} exists")
                self.objects.add(added)
                return added
            case ["set", "property"] if not options:
                key, value, target = positional
                self.properties.setdefault(target, {})[key] = value
            case ["associate", _]:
                for target in (*options.values(), *positional):
                    self._known(target)
            case ["get", _] | ["current", _]:
                return " ".join((name, *positional))
        return ""

    def _infer(self, ports: tuple[str, ...], core: str) -> None:
        if self.infers:
            name = ports[0].rpartition("_")[0] or ports[0]
            self.objects.add(f"{self._known(core)}/bus_interface:{name}")

    def _known(self, target: str) -> str:
        if target not in self.objects:
            raise ValueError(f"no object {target}")
        return target

    def _parse(self, name: str, given: tuple[str, ...]) -> tuple[dict[str, str], tuple[str, ...]]:
        options, positional, rest = {}, [], list(given)
        while rest:
            word = rest.pop(0)
            if word in OPTIONS_WITH_VALUE[name]:
                options[word] = rest.pop(0)
            elif word.startswith("-") and word not in FLAGS.get(name, ()):
                raise ValueError(f"{name} has no option {word}")
            elif not word.startswith("-"):
                positional.append(word)
        return options, tuple(positional)
