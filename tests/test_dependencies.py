"""Packages depend on each other one way, so that each can be read, and used, without those above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]
BELOW = {
    "hwgen": set(),
    "sim": {"hwgen"},
    "nas": {"hwgen"},
    "flows": {"hwgen", "nas", "sim"},
}


def imports(source: Path) -> Iterator[str]:
    """Modules that ``source`` imports, those that it imports late among them."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("package", BELOW)
def test_a_package_imports_only_those_below_it(package: str) -> None:
    imported = {name.split(".")[0] for source in (ROOT / package).rglob("*.py") for name in imports(source)}
    assert imported & set(BELOW) <= BELOW[package] | {package}


def test_hardware_generation_needs_neither_torch_nor_cocotb() -> None:
    imported = {name.split(".")[0] for source in (ROOT / "hwgen").rglob("*.py") for name in imports(source)}
    assert not imported & {"torch", "cocotb"}


def test_the_jobs_packages_do_not_import_each_other_in_a_circle() -> None:
    jobs = {path.name for path in (ROOT / "flows").iterdir() if path.is_dir() and path.name != "__pycache__"}
    graph = nx.DiGraph()
    for job in jobs:
        for source in (ROOT / "flows" / job).rglob("*.py"):
            names = [name.split(".") for name in imports(source)]
            others = {name[1] for name in names if name[0] == "flows" and len(name) > 1} & jobs - {job}
            graph.add_edges_from((job, other) for other in others)
    assert list(nx.simple_cycles(graph)) == []
