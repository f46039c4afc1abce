"""The user's jobs, whole, on the smallest networks: generate, simulate, search, resume, report."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from flows.pairs.evaluation import Tier
from flows.pairs.evaluation_log import read_evaluations
from flows.search.results import load_results
from flows.search.stages import Stage, stage_costs
from hwgen.reference import run as run_reference
from hwgen.registers import COUNTERS
from hwgen.serialise import load_graph
from tests.flows.test_cli import run

ACCELERATOR = ("--set", "rows=4", "--set", "cols=4")
CELL = "nasbench201:|skip_connect~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|skip_connect~2|"
SMALL_SEARCH = (
    "--budget",
    "8",
    "--population",
    "4",
    "--builds",
    "1",
    "--supernet-epochs",
    "1",
    "--training-epochs",
    "1",
)


def test_generate_writes_a_bundle_whose_manifest_holds(tmp_path: Path) -> None:
    assert run("generate", CELL, "--dataset", "digits", *ACCELERATOR, "-o", tmp_path / "out") == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"accelerator.v", "cosynth.h", "manifest.json", "interface.md", "program.bin"}
    for name, file in manifest["files"].items():
        content = (tmp_path / "out" / name).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert manifest["accelerator"]["rows"] == 4
    assert manifest["regions"]["input"]["shape"] == [8, 8, 1]
    assert "module cosynth_accelerator" in (tmp_path / "out" / "accelerator.v").read_text()


def test_simulate_reports_what_was_measured(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    x = np.random.default_rng(1).integers(-128, 128, (3, 8, 8, 1), dtype=np.int8)
    np.save(tmp_path / "x.npy", x)
    files = ("--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy", "--plot", tmp_path / "p.png")
    assert run("simulate", CELL, "--dataset", "digits", *ACCELERATOR, *files, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["samples"] == 3
    assert report["bit_exact"] is True
    assert sum(layer["cycles"] for layer in report["layers"]) == report["cycles"] == report["counters"]["cycles"]
    assert sum(layer["predicted_cycles"] for layer in report["layers"]) == report["predicted_cycles"]
    assert report["peak_macs_per_cycle"] == 16
    assert report["utilization"] == pytest.approx(report["macs"] / report["cycles"] / 16)
    assert set(report["counters"]) == {counter.name for counter in COUNTERS}
    assert report["dram_write_bytes"] > 0
    assert all(energy > 0 for energy in report["energy_uj"].values())
    assert len(report["energy_uj"]) == 2
    assert report["predicted_energy_uj"] == report["energy_uj"]
    assert np.load(tmp_path / "y.npy").shape == (3, 1, 1, 10)
    assert (tmp_path / "p.png").stat().st_size > 0
    for layer in report["layers"]:
        assert 0 <= layer["bound_cycles"]["bus"] <= layer["cycles"]
        assert layer["bound_cycles"]["compute"] == -(-layer["macs"] // 16)
        assert 0 <= sum(layer["stall_cycles"].values()) <= layer["cycles"]


def test_simulate_prints_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("simulate", CELL, "--dataset", "digits", *ACCELERATOR) == 0
    assert "1 sample(s), bit-exact with the reference" in capsys.readouterr().out


@pytest.fixture(scope="module")
def finished_search(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "run"
    assert run("search", *SMALL_SEARCH, "-o", path) == 0
    return path


def test_search_leaves_a_measured_front_and_the_chosen_pair(finished_search: Path) -> None:
    results = load_results(finished_search)
    assert results.best in results.front
    assert all(evaluation.tier is Tier.MEASURED for evaluation in results.front)
    verification = json.loads((finished_search / "best" / "verification.json").read_text())
    assert verification["int8_test_images"] == 450
    assert verification["rtl"]["images"] == len(verification["rtl"]["predictions"]) == 32
    assert all(image["rtl"] == image["reference"] for image in verification["rtl"]["predictions"])
    assert results.best is not None
    assert verification["rtl"]["cycles"] == results.best.cycles
    graph = load_graph(finished_search / "best" / "network.npz")
    assert run_reference(graph, np.zeros((1, 8, 8, 1), np.int8)).shape == (1, 1, 1, 10)
    assert (finished_search / "best" / "program.bin").stat().st_size > 0


def test_a_search_says_what_its_stages_took(finished_search: Path) -> None:
    costs = stage_costs(finished_search)
    assert set(costs) == set(Stage) - {Stage.IMPLEMENTATION}
    assert costs[Stage.ACCURACIES].cpu_seconds > 0.1
    assert costs[Stage.DELIVERY].wall_seconds > 0.1


def test_a_searchs_modelled_energies_are_its_measured_ones(finished_search: Path) -> None:
    modelled, measured = (
        {
            found.pair: found.energy_uj
            for found in read_evaluations(finished_search / "evaluations.jsonl")
            if found.tier is tier
        }
        for tier in (Tier.MODELLED, Tier.MEASURED)
    )
    assert measured
    assert measured == pytest.approx({pair: modelled[pair] for pair in measured})


def test_resuming_a_finished_search_changes_nothing(finished_search: Path) -> None:
    log = (finished_search / "evaluations.jsonl").read_bytes()
    pareto = (finished_search / "pareto.json").read_bytes()
    assert run("search", "--resume", finished_search) == 0
    assert (finished_search / "evaluations.jsonl").read_bytes() == log
    assert (finished_search / "pareto.json").read_bytes() == pareto


def test_report_prints_the_front_and_draws_the_plots_again(
    capsys: pytest.CaptureFixture[str], finished_search: Path
) -> None:
    (finished_search / "pareto.png").unlink()
    assert run("report", finished_search) == 0
    assert (finished_search / "pareto.png").exists()
    printed = capsys.readouterr().out
    assert "accuracy, supernet: shared weights, scikit-learn digits (UCI) validation images" in printed
    for evaluation in load_results(finished_search).front:
        assert f"{evaluation.cycles:,}" in printed


def test_a_run_directory_is_usable_only_once_finished(
    capsys: pytest.CaptureFixture[str], finished_search: Path
) -> None:
    (finished_search / "pareto.json").rename(finished_search / "aside")
    assert run("report", finished_search) == 2
    assert f"cosynth search --resume {finished_search}" in capsys.readouterr().err
    (finished_search / "aside").rename(finished_search / "pareto.json")
    assert len(read_evaluations(finished_search / "evaluations.jsonl")) > 8


def test_a_constraint_that_nothing_meets_is_an_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("search", *SMALL_SEARCH, "--constraint", "cycles<=1", "-o", tmp_path / "run") == 2
    assert "no measured pair of nasbench201 meets cycles<=1" in capsys.readouterr().err
