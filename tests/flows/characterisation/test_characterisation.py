"""Characterisation: a plan that anyone repeats, rows that are made once, models that say how far they are off."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from threading import Barrier

import pytest

import flows.characterisation.job
from flows.characterisation.clock_model import FEWEST_ROWS
from flows.characterisation.features import features
from flows.characterisation.job import implement_point, small_points
from flows.characterisation.models import fit
from flows.characterisation.plan import Point, plan
from flows.characterisation.rows import Cells, Made, Routed, Row, read_rows, row_from_values, row_values
from flows.characterisation.shares import device_shares
from flows.characterisation.validation import clock_errors, resource_errors, unlike_known
from flows.cli import app
from flows.errors import exit_code
from flows.implement.ecp5.devices import DEVICES, Device
from flows.implement.ecp5.lut_products import multipliers_beside
from flows.implement.ecp5.place_and_route import CriticalPath, Implementation, Resource
from flows.implement.ecp5.resources import block_memories, multipliers
from flows.implement.netlist import Netlist
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError

POINTS = list(islice(plan(0), 150))
MADE = Made("0123", {"pyosys": "0.70"})


def row(point: Point, fmax_mhz: float | None = None) -> Row:
    """As if of everything that cells are taken for, three times the LUTs were that are expected, and the flip-flops."""

    def cells(part: str) -> Cells:
        terms = features(point)[part]
        lut, ff = (sum(term.quantity * getattr(term, name) for term in terms) for name in ("lut", "ff"))
        return Cells(round(3 * lut), round(ff), dsp=1, bram=1, distributed_ram=0)

    components = {
        name: cells(part)
        for name, part in (
            ("act_buffer", "activation buffer"),
            ("compute_engine.array", "array"),
            ("compute_engine.drain", "compute engine"),
            ("registers", "transfers"),
        )
    }
    routed = None if fmax_mhz is None else Routed(fmax_mhz, "a to b", 100, 100, 6, "heap", 1)
    return Row(point, MADE, components, {"dsp": 4, "bram": 4}, routed, None, {"synthesis": 1.5})


def test_the_plan_is_the_same_for_all_and_spans_what_devices_have_room_for() -> None:
    assert POINTS[:20] == list(islice(plan(0), 20))
    assert list(islice(plan(1), 150)) != POINTS
    assert {point.device for point in POINTS} == set(DEVICES.values())
    assert min(Counter(point.config.dataflow for point in POINTS).values()) >= 40
    sizes = [point.config.multipliers for point in POINTS]
    assert min(sizes) <= 8 and max(sizes) >= 128
    for point in POINTS:
        assert block_memories(point.config) <= point.device.bram


def test_a_row_survives_its_line() -> None:
    for found in (row(POINTS[0]), row(POINTS[1], fmax_mhz=80.5), replace(row(POINTS[2]), refused="too large")):
        assert row_from_values(json.loads(json.dumps(row_values(found)))) == found


def test_a_row_says_how_far_it_was_implemented() -> None:
    assert row_values(row(POINTS[0]))["stage"] == "post-synthesis"
    assert row_values(row(POINTS[0], fmax_mhz=80.5))["stage"] == "placed and routed"


def test_what_cells_are_made_of_is_learnt() -> None:
    model = fit([row(point) for point in POINTS[:60]])
    for point in POINTS[60:]:
        found = row(point)
        predicted = model.resources(point)
        assert predicted.lut == pytest.approx(found.total("lut"), rel=0.05)
        assert predicted.ff == pytest.approx(found.total("ff"), rel=0.05)
        assert predicted.dsp == multipliers(point.config, point.multipliers)
        assert predicted.bram == block_memories(point.config)


def test_few_rows_leave_what_was_expected() -> None:
    """What one row shows it shows of its own parts: a model of it is between what was expected and what it came to."""
    few, many = (fit([row(point) for point in POINTS[:count]]) for count in (1, 60))
    for point in POINTS[100:]:
        expected = row(point).total("lut") / 3
        assert expected < few.resources(point).lut < many.resources(point).lut


def test_errors_are_those_of_rows_left_out() -> None:
    """Of rows that follow the features the error is small; one that does not shows, however well it is fitted."""
    rows = [row(point) for point in POINTS[:40]]
    assert resource_errors(rows)["lut"].worst < 0.05
    cells = rows[0].components["registers"]
    odd = replace(rows[0], components={**rows[0].components, "registers": replace(cells, lut=50 * cells.lut)})
    assert resource_errors([odd, *rows[1:]])["lut"].worst > 0.3


def test_a_clock_is_modelled_where_enough_rows_are_routed() -> None:
    rows = [row(point, fmax_mhz=200 * point.config.multipliers**-0.3) for point in POINTS[: 2 * FEWEST_ROWS]]
    assert clock_errors(rows[: FEWEST_ROWS - 1]) is None
    errors = clock_errors(rows)
    assert errors is not None
    assert errors.mean < 0.03 and errors.tau > 0.9


def test_rows_unlike_what_was_known_are_found() -> None:
    like = row(POINTS[0])
    unlike = replace(like, known={"dsp": 4, "bram": 5})
    assert unlike_known([like, unlike]) == [unlike]


def test_a_larger_accelerator_takes_more_of_a_device_and_a_larger_device_less() -> None:
    small, large = (device_shares(AcceleratorConfig(rows=side, cols=side)) for side in (4, 16))
    for device in DEVICES.values():
        assert small[device.share_metric] < large[device.share_metric]
    assert small["share_of_ecp5_85k"] < small["share_of_ecp5_45k"] < small["share_of_ecp5_25k"]


def test_products_that_can_be_luts_do_not_make_multipliers_scarce() -> None:
    device = DEVICES["ecp5-45k"]
    config = AcceleratorConfig(rows=8, cols=8, requant_lanes=2)
    assert multipliers(config, device.dsp) == device.dsp
    assert device_shares(config)[device.share_metric] < 0.9


def test_products_that_cannot_be_luts_do() -> None:
    device = DEVICES["ecp5-25k"]
    config = AcceleratorConfig(rows=8, cols=8, requant_lanes=8)
    assert device_shares(config)[device.share_metric] == multipliers_beside(config) / device.dsp > 1


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> list[AcceleratorConfig]:
    """Stand-ins for synthesis and place and route, which refuses arrays of more than eight multipliers."""
    synthesised: list[AcceleratorConfig] = []

    def synthesise(config: AcceleratorConfig, multipliers: int, watch: Callable[[str], None]) -> Netlist:
        synthesised.append(config)
        cells = {"accelerator.x": {"type": "LUT4"}, "signature": {"type": "TRELLIS_FF"}}
        return Netlist(
            flows.characterisation.job.emit(config), {"modules": {"boundary": {"cells": cells}}}, "accelerator.", 1.0
        )

    def place_and_route(netlist: Netlist, device: Device, grade: int, seed: int, watch: object) -> Implementation:
        if synthesised[-1].multipliers > 8:
            raise InputError("device: it does not fit; accepted: a smaller accelerator")
        path = CriticalPath("drain.x", "drain.y", delay_ns=20.0, routing_ns=15.0)
        cells = (Resource(500, 1000), Resource(300, 1000), Resource(4, 10), Resource(2, 10))
        return Implementation(50.0, path, *cells, bitstream=b"bits", placer="heap", seed=seed, seconds=2.0)

    monkeypatch.setattr(flows.characterisation.job, "emit", lambda config: f"module of {config};")
    monkeypatch.setattr(flows.characterisation.job, "synthesise", synthesise)
    monkeypatch.setattr(flows.characterisation.job, "place_and_route", place_and_route)
    return synthesised


def characterise(*arguments: object) -> int:
    return exit_code(lambda: app(["characterise", *map(str, arguments)], standalone_mode=False))


def test_rows_are_made_once_and_again_where_the_verilog_has_changed(
    tools: Sequence[AcceleratorConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "rows.jsonl"
    small = ("--largest-array", 10, "-o", rows)
    assert characterise("--rows", 3, "--no-route", *small) == 0
    assert [found.routed for found in read_rows(rows).values()] == [None] * 3
    assert characterise("--rows", 3, "--no-route", *small) == 0
    assert len(tools) == 3
    with rows.open("a") as file:
        file.write('{"stage": "torn')
    assert characterise("--rows", 4, *small, "--page", tmp_path / "page.md") == 0
    assert len(tools) == 7
    for point, found in read_rows(rows).items():
        fits = point.config.multipliers <= 8
        assert (found.routed is not None, found.refused is None) == (fits, fits)
    assert "4 configurations" in (tmp_path / "page.md").read_text()
    monkeypatch.setattr(flows.characterisation.job, "emit", lambda config: f"module of {asdict(config)};")
    assert characterise("--rows", 4, *small) == 0
    assert len(tools) == 11
    assert len(rows.read_text().splitlines()) == 11


def test_points_are_implemented_side_by_side(
    tools: Sequence[AcceleratorConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = flows.characterisation.job.synthesise
    together = Barrier(2, timeout=20)

    def synthesise(config: AcceleratorConfig, products: int, watch: Callable[[str], None]) -> Netlist:
        together.wait()
        return alone(config, products, watch)

    monkeypatch.setattr(flows.characterisation.job, "synthesise", synthesise)
    rows = tmp_path / "rows.jsonl"
    assert characterise("--rows", 4, "--no-route", "--jobs", 2, "-o", rows) == 0
    assert len(read_rows(rows)) == len(tools) == 4


def test_what_runs_beside_a_point_that_ends_the_job_is_ended_too(
    tools: Sequence[AcceleratorConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never_done_but_of_the_first(
        netlist: Netlist, device: Device, grade: int, seed: int, watch: Callable[[str], None]
    ) -> None:
        watch("placing")
        if netlist.verilog == f"module of {first};":
            raise ValueError("an error in our own code")
        while True:
            watch("iter=1 wires=1000 overused=10")

    first = next(small_points(0, 8)).config
    monkeypatch.setattr(flows.characterisation.job, "place_and_route", never_done_but_of_the_first)
    small = ("--largest-array", 8, "-o", tmp_path / "rows.jsonl")
    with pytest.raises(ValueError, match="our own code"):
        characterise("--rows", 2, "--jobs", 2, *small)
    assert read_rows(tmp_path / "rows.jsonl") == {}


def test_a_router_that_does_not_come_to_its_end_is_ended(
    tools: Sequence[AcceleratorConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def routes_for_ever(netlist: Netlist, device: Device, grade: int, seed: int, watch: Callable[[str], None]) -> None:
        while True:
            watch("iter=1 wires=1000 overused=10")

    monkeypatch.setattr(flows.characterisation.job, "place_and_route", routes_for_ever)
    monkeypatch.setattr(flows.characterisation.job, "PATIENCE_SECONDS", 0)
    rows = tmp_path / "rows.jsonl"
    assert characterise("--rows", 1, "--largest-array", 10, "-o", rows) == 0
    (found,) = read_rows(rows).values()
    assert (found.routed, found.refused) == (None, "place and route did not end within 0 minutes")


def test_what_synthesis_alone_shows_to_be_too_large_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    device = DEVICES["ecp5-25k"]
    cells = {f"accelerator.x{number}": {"type": "LUT4"} for number in range(device.lut + 7)}
    netlist = Netlist("module;", {"modules": {"boundary": {"cells": cells}}}, "accelerator.", 1.0)
    monkeypatch.setattr(flows.characterisation.job, "synthesise", lambda *_: netlist)
    found = implement_point(Point(AcceleratorConfig(), device, device.dsp), False, lambda _: None)
    assert found.total("lut") == device.lut + 7
    assert found.refused is not None and "7 LUTs too many" in found.refused


def test_a_damaged_row_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"stage": "post-synthesis"}\n')
    assert characterise("--rows", 0, "-o", rows) == 2
    assert f"line 1 of {rows} is damaged" in capsys.readouterr().err
