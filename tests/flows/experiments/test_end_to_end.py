"""One pair from its constraints to its bitstream, on handwritten digits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from flows.accelerators import config_from_values
from flows.experiments.end_to_end_job import run_end_to_end
from flows.experiments.end_to_end_plot import end_to_end_png
from flows.experiments.end_to_end_report import end_to_end_page
from flows.implement.ecp5.devices import Device
from flows.search.results import load_results
from flows.search.settings import Depth, load_settings
from flows.search.stages import Stage
from hwgen.config import AcceleratorConfig
from hwgen.verilog import emit
from tests.flows.test_cli import assert_refused, run

SMALL = (
    *("experiment", "end-to-end", "--dataset", "digits", "--space", "nasbench201", "--clock-mhz", "100"),
    *("--constraint", "multipliers<=64", "--constraint", "fits=ecp5-85k", "--implement", "modelled"),
    *("--budget", "8", "--population", "4", "--builds", "1", "--supernet-epochs", "1", "--training-epochs", "1"),
    *("--verified-images", "5"),
)
ROUTED = {
    "resources": {name: {"used": 1234, "available": 5000} for name in ("lut", "ff", "dsp", "bram")},
    "fmax_mhz": 50.0,
    "speed_grade": 6,
    "seed": 1,
    "critical_path": {"start": "drain.sum", "end": "drain.clamp", "delay_ns": 20.0, "routing_ns": 11.0},
}
"""What ``cosynth implement`` might report."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("end-to-end") / "out"
    assert run(*SMALL, "-o", path) == 0
    return path


@pytest.fixture
def values(finished: Path) -> dict[str, Any]:
    return json.loads((finished / "end-to-end.json").read_text())


def test_the_values_are_those_of_the_search_and_of_its_pair(finished: Path, values: dict[str, Any]) -> None:
    best = load_results(finished / "run").best
    assert best is not None
    verification = json.loads((finished / "run" / "best" / "verification.json").read_text())
    assert values["pair"]["architecture"] == best.pair.architecture
    assert values["cost"]["measured"]["cycles"] == best.cycles == values["rtl"]["cycles"]
    assert values["cost"]["modelled"]["energy_uj"] == pytest.approx(values["cost"]["measured"]["energy_uj"])
    assert values["accuracy"]["oracle"]["value"] == best.accuracy
    assert values["accuracy"]["int8"]["test"] == verification["int8_test_accuracy"]
    assert values["accuracy"]["images"] == {"validation": 449, "test": 450}
    assert values["rtl"]["images"] == values["rtl"]["equal"] == 5
    assert values["search"]["turned_away"] + values["search"]["networks_asked"] <= values["search"]["modelled"]
    assert values["search"]["front"] <= values["search"]["measured"]
    assert set(values["stages"]) == set(Stage) - {Stage.IMPLEMENTATION}


def test_the_page_says_what_was_asked_and_what_came_of_it(finished: Path, values: dict[str, Any]) -> None:
    page = (finished / "end-to-end.md").read_text()
    assert page == end_to_end_page(values)
    accuracy = values["accuracy"]
    for text in (
        "`multipliers<=64`, `fits=ecp5-85k`",
        "898 images to train on, 449 to validate and 450 to test",
        f"| trained, int8 | {accuracy['int8']['validation']:.2%} | {accuracy['int8']['test']:.2%} |",
        f"| cycles | {values['cost']['modelled']['cycles']:,.0f} | {values['cost']['measured']['cycles']:,.0f} |",
        "It was not implemented: these are models.",
        "On 5 of them it answers as the bit-exact reference does",
    ):
        assert text in page
    assert (finished / "end-to-end.png").stat().st_size > 0


def test_the_page_has_what_was_found_on_the_device(values: dict[str, Any]) -> None:
    found = {"stage": "post-synthesis", "resources": dict.fromkeys(("lut", "ff", "dsp", "bram"), 7), "fmax_mhz": None}
    values["implementation"]["found"] = found
    assert "| post-synthesis | 7 | 7 | 7 | 7 |  |  |" in end_to_end_page(values)
    values["implementation"] |= {"found": None, "refused": "first line\nmore LUTs than there are"}
    assert "It cannot be implemented: more LUTs than there are" in end_to_end_page(values)


def test_the_page_has_the_clock_of_the_bitstream(values: dict[str, Any]) -> None:
    values |= {"bitstream": ROUTED, "bitstream_spent": {"wall_seconds": 1200.0, "cpu_seconds": 600.0}}
    page = end_to_end_page(values)
    latency_ms = values["cost"]["measured"]["cycles"] / 50_000
    assert f"| placed and routed | 1,234 | 1,234 | 1,234 | 1,234 | 50.0 | {latency_ms:.4f} |" in page
    assert "The clock of 100 MHz is not reached" in page
    assert "from `drain.sum` to `drain.clamp`: 20.0 ns, 11.0 ns of it routing" in page
    assert "| the chosen accelerator's bitstream | 1,200.0 | 600.0 |" in page
    assert end_to_end_png(values).startswith(b"\x89PNG")


def test_the_chosen_accelerator_is_placed_and_routed_once(
    finished: Path, values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[AcceleratorConfig, str]] = []

    def implement(output: Path, config: AcceleratorConfig, device: Device, *_: object) -> None:
        made.append((config, device.name))
        output.mkdir()
        (output / "accelerator.v").write_text(emit(config))
        (output / "implementation.json").write_text(json.dumps(ROUTED))

    monkeypatch.setattr("flows.experiments.end_to_end_job.run_implementation", implement)
    monkeypatch.setattr("flows.experiments.end_to_end_job.require_tools", lambda _: None)
    directory = tmp_path / "out"
    shutil.copytree(finished, directory)
    settings = load_settings(directory / "run")
    pages = [run_end_to_end(directory, settings, Depth.ROUTED, Console(quiet=True)) for _ in range(2)]
    assert made == [(config_from_values(values["pair"]["accelerator"]), "ecp5-85k")]
    assert pages[0] == pages[1] == (directory / "end-to-end.md").read_text()
    assert "| placed and routed |" in pages[0]
    assert "| the chosen accelerator's bitstream |" in pages[0]


def test_what_is_finished_is_not_made_again(finished: Path) -> None:
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    assert run(*SMALL, "-o", finished) == 0
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before


def test_other_options_want_another_directory(capsys: pytest.CaptureFixture[str], finished: Path) -> None:
    assert_refused(capsys, *SMALL, "--seed", "1", "-o", finished, naming="has an experiment with other options")


def test_a_bitstream_of_another_accelerator_is_refused(capsys: pytest.CaptureFixture[str], finished: Path) -> None:
    other = finished / "bitstream"
    other.mkdir()
    (other / "accelerator.v").write_text("module other; endmodule")
    assert_refused(capsys, *SMALL, "-o", finished, naming="is of another accelerator than")
