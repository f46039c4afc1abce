"""Documents that are generated say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.export.interface_document import interface_document
from hwgen.config import AcceleratorConfig
from hwgen.registers import COUNTERS, REGISTERS
from hwgen.verilog import emit

COMMITTED = Path(__file__).parents[3] / "docs" / "interface.md"


@pytest.fixture(scope="module")
def verilog() -> str:
    return emit(AcceleratorConfig())


def test_the_committed_interface_document_is_that_of_the_default_accelerator(verilog: str) -> None:
    assert COMMITTED.read_text() == interface_document(verilog)


def test_every_port_of_the_verilog_is_documented(verilog: str) -> None:
    header = re.search(r"module cosynth_accelerator\s*\((.*?)\);", verilog, re.DOTALL)
    assert header is not None
    ports = {name.strip() for name in header[1].split(",")}
    documented = set(re.findall(r"^\| `(\w+)` \| (?:in|out) ", interface_document(verilog), re.MULTILINE))
    assert documented == ports


def test_every_register_and_counter_is_documented(verilog: str) -> None:
    document = interface_document(verilog)
    for entry in (*REGISTERS, *COUNTERS):
        assert f"| {entry.name} |" in document
        assert entry.description in document
