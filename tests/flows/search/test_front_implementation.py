"""What the front's accelerators come to: each is implemented once, and the model stands beside what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from rich.console import Console

from flows.characterisation.plan import Point
from flows.characterisation.rows import Cells, Made, Routed, Row
from flows.implement.ecp5.devices import DEVICES
from flows.pairs.evaluation import Cost, Evaluation, Pair, Tier
from flows.search.front_implementation import (
    FILE_NAME,
    OnDevice,
    implement_front,
    on_device_from_values,
    on_device_values,
)
from flows.search.settings import Depth
from flows.tools import ImplementationError
from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.errors import InputError
from nas.accuracy import AccuracyTier

DEVICE = DEVICES["ecp5-45k"]
FRONT = [AcceleratorConfig(dataflow=dataflow) for dataflow in Dataflow]
FOUND = Evaluation(
    Pair("a network", FRONT[0]), Tier.MEASURED, Cost(125_000, 1.0), 0.9, AccuracyTier.TABULAR, "a table", macs=250_000
)
CLOCK = Routed(62.5, "drain.x to drain.y", 21_000, 11_900, 6, "heap", 1)

Implement = Callable[[Point, bool, object], Row]


def made(point: Point, route: bool, watch: object) -> Row:
    """As the tools would."""
    cells = {"registers": Cells(20_000, 12_000, 30, 50, 0)}
    return Row(point, Made("0123", {"pyosys": "0.70"}), cells, {}, CLOCK if route else None, None, {"synthesis": 1.0})


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Callable[[Implement], list[Point]]:
    """Puts a stand-in in the place of the tools, and says which points it is asked for."""

    def put(stand_in: Implement) -> list[Point]:
        asked: list[Point] = []

        def implement_point(point: Point, route: bool, watch: object) -> Row:
            asked.append(point)
            return stand_in(point, route, watch)

        monkeypatch.setattr("flows.search.front_implementation.implement_point", implement_point)
        return asked

    return put


def implement(run: Path, depth: Depth) -> list[OnDevice]:
    return list(implement_front(run, FRONT, DEVICE, depth, Console(quiet=True), lambda step: None).values())


Tools = Callable[[Implement], list[Point]]


def test_what_is_only_modelled_has_nothing_beside_it(tools: Tools, tmp_path: Path) -> None:
    asked = tools(made)
    front = implement(tmp_path, Depth.MODELLED)
    assert asked == [] and list(tmp_path.iterdir()) == []
    assert len(front) == len(FRONT)
    for on_device in front:
        assert (on_device.found, on_device.refused) == (None, None)
        assert on_device.found_over_modelled(clock_mhz=100) == {}


def test_every_accelerator_is_implemented_once_in_the_order_given(tools: Tools, tmp_path: Path) -> None:
    asked = tools(made)
    first = implement(tmp_path, Depth.SYNTHESISED)
    assert implement(tmp_path, Depth.SYNTHESISED) == first
    assert asked == [Point(config, DEVICE, DEVICE.dsp) for config in FRONT]


def test_an_interruption_loses_none_that_was_finished(tools: Tools, tmp_path: Path) -> None:
    def interrupted(point: Point, route: bool, watch: object) -> Row:
        if point.config == FRONT[-1]:
            raise KeyboardInterrupt
        return made(point, route, watch)

    tools(interrupted)
    with pytest.raises(KeyboardInterrupt):
        implement(tmp_path, Depth.SYNTHESISED)
    asked = tools(made)
    assert all(on_device.found for on_device in implement(tmp_path, Depth.SYNTHESISED))
    assert [point.config for point in asked] == FRONT[-1:]


def test_after_synthesis_resources_were_found_and_no_clock(tools: Tools, tmp_path: Path) -> None:
    tools(made)
    for on_device in implement(tmp_path, Depth.SYNTHESISED):
        assert on_device.found is not None
        assert on_device.found.stage == "post-synthesis"
        assert asdict(on_device.found.resources) == {"lut": 20_000, "ff": 12_000, "dsp": 30, "bram": 50}
        ratios = on_device.found_over_modelled(clock_mhz=100)
        assert ratios["lut"] == 20_000 / on_device.modelled.lut
        assert "latency_ms" not in ratios
        values = on_device_values(on_device, FOUND, clock_mhz=100)
        assert (values["latency_ms"], values["gmac_per_s"]) == (None, None)


def test_placed_and_routed_it_has_a_latency_and_a_rate_at_its_own_clock(tools: Tools, tmp_path: Path) -> None:
    tools(made)
    for on_device in implement(tmp_path, Depth.ROUTED):
        assert on_device.found is not None
        assert on_device.found.stage == "placed and routed"
        assert (on_device.found.resources.lut, on_device.found.resources.ff) == (21_000, 11_900)
        values = on_device_values(on_device, FOUND, clock_mhz=100)
        assert values["latency_ms"] == 2.0
        assert values["gmac_per_s"] == pytest.approx(250_000 / 0.002 / 1e9)
        assert values["found_over_modelled"]["latency_ms"] == 100 / 62.5


def test_one_that_does_not_fit_after_all_says_so_and_ends_nothing(tools: Tools, tmp_path: Path) -> None:
    def refused(point: Point, route: bool, watch: object) -> Row:
        row = made(point, route, watch)
        return replace(row, routed=None, refused="6152 LUTs too many") if point.config == FRONT[0] else row

    tools(refused)
    first, *others = implement(tmp_path, Depth.ROUTED)
    assert first.found is not None
    assert (first.found.stage, first.refused) == ("post-synthesis", "6152 LUTs too many")
    assert [on_device.refused for on_device in others] == [None] * len(others)


def test_one_that_a_tool_fails_on_is_kept_with_the_reason(tools: Tools, tmp_path: Path) -> None:
    def fails(point: Point, route: bool, watch: object) -> Row:
        if point.config == FRONT[0]:
            raise ImplementationError("pyosys failed:\nERROR: no room")
        return made(point, route, watch)

    asked = tools(fails)
    for _ in range(2):
        first, *others = implement(tmp_path, Depth.SYNTHESISED)
        assert (first.found, first.refused) == (None, "pyosys failed:\nERROR: no room")
        assert all(on_device.found for on_device in others)
    assert len(asked) == len(FRONT)


@pytest.mark.parametrize("depth", Depth)
def test_what_was_found_survives_the_disk(tools: Tools, tmp_path: Path, depth: Depth) -> None:
    tools(made)
    for on_device in implement(tmp_path, depth):
        assert on_device_from_values(on_device_values(on_device, FOUND, 100)) == on_device


def test_a_damaged_file_is_refused(tools: Tools, tmp_path: Path) -> None:
    tools(made)
    (tmp_path / FILE_NAME).write_text("{}\n")
    with pytest.raises(InputError, match=r"line 1 of .*implementations\.jsonl is damaged .*; delete the file to have"):
        implement(tmp_path, Depth.SYNTHESISED)
