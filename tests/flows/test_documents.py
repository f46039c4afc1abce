"""Documents that are generated say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from flows.interface_document import interface_document
from hwgen.config import AcceleratorConfig
from hwgen.registers import COUNTERS, REGISTERS
from hwgen.verilog import emit

COMMITTED = Path(__file__).parents[2] / "docs" / "interface.md"


def test_the_committed_interface_document_is_that_of_the_default_accelerator() -> None:
    assert COMMITTED.read_text() == interface_document(AcceleratorConfig())


def test_every_port_of_the_verilog_is_documented() -> None:
    config = AcceleratorConfig(rows=2, cols=2, bus_bits=32, requant_lanes=1)
    header = re.search(r"module cosynth_accelerator\s*\((.*?)\);", emit(config), re.DOTALL)
    assert header is not None
    ports = {name.strip() for name in header[1].split(",")}
    documented = set(re.findall(r"^\| `(\w+)` \| (?:in|out)", interface_document(config), re.MULTILINE))
    assert documented == ports


def test_every_register_and_counter_is_documented() -> None:
    document = interface_document(AcceleratorConfig())
    for entry in (*REGISTERS, *COUNTERS):
        assert f"| {entry.name} |" in document
        assert entry.description in document
