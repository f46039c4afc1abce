"""What the chosen accelerator comes to: what is modelled and what was found are told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from flows.characterisation.plan import Point
from flows.characterisation.rows import Cells, Made, Routed, Row
from flows.implement.ecp5.devices import DEVICES
from flows.search.best_implementation import FILE_NAME, implement_best, implementation_lines
from flows.search.settings import Depth
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError

DEVICE = DEVICES["ecp5-45k"]
QUIET = Console(quiet=True)
CLOCK = Routed(62.5, "drain.x to drain.y", 21_000, 11_900, 6, 1)


@pytest.fixture
def implemented(monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """A stand-in for the tools; the rows that it made."""
    rows: list[Row] = []

    def implement_point(point: Point, route: bool, watch: object) -> Row:
        cells = {"registers": Cells(20_000, 12_000, 30, 50, 0)}
        made = Made("0123", {"pyosys": "0.70"})
        rows.append(Row(point, made, cells, {}, CLOCK if route else None, None, {"synthesis": 1.0}))
        return rows[-1]

    monkeypatch.setattr("flows.search.best_implementation.implement_point", implement_point)
    return rows


def lines(run: Path) -> str:
    return "\n".join(implementation_lines(run, clock_mhz=100, cycles=125_000))


def test_what_is_only_modelled_says_so(implemented: list[Row], tmp_path: Path) -> None:
    implement_best(tmp_path, AcceleratorConfig(), DEVICE, Depth.MODELLED, QUIET)
    values = json.loads((tmp_path / FILE_NAME).read_text())
    assert implemented == []
    assert set(values) == {"device", "modelled", "model"}
    assert lines(tmp_path).startswith("modelled on ecp5-45k: ")


def test_what_was_found_stands_beside_what_was_modelled(implemented: list[Row], tmp_path: Path) -> None:
    implement_best(tmp_path, AcceleratorConfig(), DEVICE, Depth.SYNTHESISED, QUIET)
    values = json.loads((tmp_path / FILE_NAME).read_text())
    assert values["found"] == {"lut": 20_000, "ff": 12_000, "dsp": 30, "bram": 50}
    assert values["found_is"] == "post-synthesis"
    assert values["modelled_over_found"]["lut"] == values["modelled"]["lut"] / 20_000
    assert "post-synthesis: 20,000 LUTs, 12,000 flip-flops, 30 multipliers, 50 block memories" in lines(tmp_path)
    assert "MHz" not in lines(tmp_path)


def test_placed_and_routed_it_has_a_latency_at_its_own_clock(implemented: list[Row], tmp_path: Path) -> None:
    implement_best(tmp_path, AcceleratorConfig(), DEVICE, Depth.ROUTED, QUIET)
    assert "placed and routed: 62.5 MHz, 2 ms for an inference; the search took it to run at 100 MHz" in lines(tmp_path)


def test_one_that_does_not_fit_after_all_says_so(
    implemented: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(point: Point, route: bool, watch: object) -> Row:
        cells = {"registers": Cells(50_000, 12_000, 30, 50, 0)}
        return Row(point, Made("0123", {}), cells, {}, None, "device: 6152 LUTs too many", {"synthesis": 1.0})

    monkeypatch.setattr("flows.search.best_implementation.implement_point", refused)
    implement_best(tmp_path, AcceleratorConfig(), DEVICE, Depth.ROUTED, QUIET)
    assert "not placed and routed: device: 6152 LUTs too many" in lines(tmp_path)


def test_a_resumed_search_does_not_implement_again(implemented: list[Row], tmp_path: Path) -> None:
    for _ in range(2):
        implement_best(tmp_path, AcceleratorConfig(), DEVICE, Depth.SYNTHESISED, QUIET)
    assert [row.point for row in implemented] == [Point(AcceleratorConfig(), DEVICE, DEVICE.dsp)]


def test_a_run_without_a_device_says_nothing_of_one(tmp_path: Path) -> None:
    assert implementation_lines(tmp_path, 100, 1000) == []


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{}")
    with pytest.raises(InputError, match=r"implementation\.json is damaged .*; delete it to have it made again"):
        lines(tmp_path)
