"""The emitted Verilog as its users' tools and its readers meet it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.config import AcceleratorConfig
from hwgen.verilog import TOP_MODULE, emit

CONFIG = AcceleratorConfig(rows=3, cols=2, rf_depth=2, act_buffer_kib=4, weight_buffer_kib=1, requant_lanes=1)
YOSYS_READS = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in (f"read_verilog {sys.argv[1]}", f"hierarchy -check -top {sys.argv[2]}", "proc", "check -assert"):
    libyosys.run_pass(f"tee -q {command}", design)
"""


@pytest.fixture(scope="module")
def verilog() -> str:
    return emit(CONFIG)


def test_yosys_reads_it_and_finds_no_fault(verilog: str, tmp_path: Path) -> None:
    """Neither undriven nor multiply driven wires, combinational loops or missing modules."""
    source = tmp_path / "accelerator.v"
    source.write_text(verilog, encoding="utf-8")
    # A process of its own: Yosys ends the process at an error.
    command = [sys.executable, "-c", YOSYS_READS, str(source), TOP_MODULE]
    completed = subprocess.run(command, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout[-2000:] + completed.stderr[-2000:]


def test_each_component_is_a_module_named_by_its_place(verilog: str) -> None:
    modules = set(re.findall(r"^module \\?([\w.]+)", verilog, re.MULTILINE))
    parts = {"sequencer", "load_engine", "compute_engine", "store_engine", "act_buffer", "registers", "read_port"}
    assert {TOP_MODULE} | {f"{TOP_MODULE}.{part}" for part in parts} <= modules
    assert f"{TOP_MODULE}.compute_engine.array" in modules


def test_components_that_are_alike_are_instances_of_one_module() -> None:
    verilog = emit(replace(CONFIG, requant_lanes=2))
    assert len(re.findall(r"^module requantise_lane\(", verilog, re.MULTILINE)) == 1
    assert re.findall(r"^  requantise_lane (\w+) \(", verilog, re.MULTILINE) == ["lane_0", "lane_1"]


def test_it_does_not_depend_on_where_or_when_it_is_emitted(verilog: str) -> None:
    assert emit(CONFIG) == verilog
    assert str(Path(__file__).parents[2]) not in verilog
