"""Results are written, read back and drawn; a run directory that is none, or unfinished, says so."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from flows.characterisation.models import Resources
from flows.pairs.constraints import parse_constraint
from flows.pairs.evaluation import Tier
from flows.pairs.evaluation_log import read_evaluations
from flows.pairs.objectives import Objectives
from flows.pairs.pareto import best_pair
from flows.search.chip_correction import found_on_chip
from flows.search.front_implementation import Found, OnDevice
from flows.search.results import Results, load_results
from flows.search.settings import Oracle, Settings, load_settings
from flows.search.table import print_results
from flows.search.tier_costs import TierCost, tier_costs
from flows.stopwatch import Spent
from hwgen.errors import InputError
from nas.accuracy import AccuracyTier
from nas.strategies import StrategyName
from tests.flows.fakes import ToyEvaluator
from tests.flows.search.test_pair_search import OBJECTIVES, run_search


@pytest.fixture
def results(tmp_path: Path) -> Results:
    front = run_search(tmp_path / "evaluations.jsonl", ToyEvaluator())
    costs = tier_costs(read_evaluations(tmp_path / "evaluations.jsonl"))
    return Results("toy", OBJECTIVES, ("accuracy>=0.8",), tuple(front), best_pair(front, [], OBJECTIVES), costs)


def test_results_survive_the_disk(tmp_path: Path, results: Results) -> None:
    results.save(tmp_path)
    assert load_results(tmp_path) == results


def test_results_from_before_objectives_were_chosen_are_of_cycles_and_area(tmp_path: Path, results: Results) -> None:
    results.save(tmp_path)
    values = json.loads((tmp_path / "pareto.json").read_text())
    assert values.pop("objectives") == ["accuracy", "cycles", "lut_equivalents"]
    (tmp_path / "pareto.json").write_text(json.dumps(values))
    assert load_results(tmp_path) == results


def test_the_plot_shows_what_pairs_were_compared_by(tmp_path: Path, results: Results) -> None:
    by_energy = replace(results, objectives=Objectives(100, ("energy_uj", "multipliers")))
    by_energy.save(tmp_path)
    assert load_results(tmp_path) == by_energy
    load_results(tmp_path).render(tmp_path, read_evaluations(tmp_path / "evaluations.jsonl"))
    page = (tmp_path / "pareto.html").read_text()
    assert "energy in uJ, estimated" in page
    assert '"text":"multipliers"' in page
    assert "latency in ms at" not in page


def test_a_member_states_its_rate(tmp_path: Path, results: Results) -> None:
    results.save(tmp_path)
    for values in json.loads((tmp_path / "pareto.json").read_text())["front"]:
        assert values["gmac_per_s"] == pytest.approx(values["macs"] / values["latency_ms"] / 1e6)
        assert f"{values['gmac_per_s']:.4g} │" in printed(results, tmp_path)


def test_a_member_whose_macs_were_not_kept_has_no_rate(tmp_path: Path, results: Results) -> None:
    before = replace(results, front=(replace(results.front[0], macs=None),), best=None)
    before.save(tmp_path)
    assert load_results(tmp_path) == before
    assert json.loads((tmp_path / "pareto.json").read_text())["front"][0]["gmac_per_s"] is None
    assert printed(before, tmp_path)


def test_the_report_says_where_accuracies_come_from(tmp_path: Path, results: Results) -> None:
    text = printed(results, tmp_path)
    for found in results.front:
        assert f"accuracy, tabular: toy test of {found.pair.architecture}\n" in text


def test_the_report_says_what_each_tier_cost(tmp_path: Path, results: Results) -> None:
    text = printed(results, tmp_path)
    evaluations = read_evaluations(tmp_path / "evaluations.jsonl")
    for tier in (Tier.MODELLED, Tier.MEASURED):
        pairs = {found.pair for found in evaluations if found.tier is tier}
        assert f"\n{tier}: {len(pairs)} pairs in 0." in text


def on_device(results: Results, found: Found | None, refused: str | None) -> Results:
    """``results`` with this of each accelerator."""
    modelled = OnDevice("ecp5-25k", Resources(1000.4, 500, 13, 21), found, refused)
    front = tuple(replace(member, on_chip=found_on_chip(member.pair.accelerator, modelled)) for member in results.front)
    best = None if results.best is None else front[results.front.index(results.best)]
    accelerators = dict.fromkeys((member.pair.accelerator for member in front), modelled)
    return replace(results, front=front, best=best, on_device=accelerators)


def printed(results: Results, run: Path) -> str:
    console = Console(record=True, file=StringIO(), width=120)
    print_results(results, run, console)
    return console.export_text()


def test_the_report_states_what_was_found_of_each_pair_beside_what_was_modelled(
    tmp_path: Path, results: Results
) -> None:
    routed = Found("placed and routed", Resources(1100, 400, 13, 21), 80.0)
    implemented = on_device(results, routed, None)
    implemented.save(tmp_path)
    assert load_results(tmp_path) == implemented
    assert "the clock of place and route" in printed(implemented, tmp_path)
    rows = [line.split() for line in printed(implemented, tmp_path).splitlines()]
    for member in results.front:
        assert member.cycles is not None
        assert member.macs is not None
        modelled, found = (
            {f"{member.cycles / clock:.4g}", f"{member.macs / member.cycles * clock / 1e6:.4g}"}
            for clock in (100_000, 80_000)
        )
        assert any({"modelled", "1,000", "500", "100", *modelled} <= set(row) for row in rows)
        assert any({"placed", "1,100", "400", "80.0", *found} <= set(row) for row in rows)
    ratios = [row for row in rows if "found" in row and "modelled" in row]
    assert len(ratios) == len(results.front)
    assert all({"1.100", "0.800", "1.000", "1.250"} <= set(row) for row in ratios)


def test_the_report_says_why_a_pair_was_not_implemented(tmp_path: Path, results: Results) -> None:
    text = printed(on_device(results, None, "nextpnr failed:\nERROR: no room\n"), tmp_path)
    assert text.count("cannot be implemented: ERROR: no room\n") == len(results.front)


def test_what_a_tier_cost_is_the_sum_of_its_evaluations(results: Results) -> None:
    first, second = results.front[:2]
    made = [replace(first, spent=Spent(1.5, 4.0)), replace(first, spent=Spent(0.5, 1.0)), replace(second, spent=None)]
    assert tier_costs(made) == {Tier.MEASURED: TierCost(pairs=2, wall_seconds=2.0, cpu_seconds=5.0)}


def test_both_plots_show_the_front_and_every_evaluation(tmp_path: Path, results: Results) -> None:
    results.render(tmp_path, read_evaluations(tmp_path / "evaluations.jsonl"))
    assert (tmp_path / "pareto.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "pareto.html").read_text()
    assert "https://cdn" not in page.split("<body>")[1][:2000]
    for evaluation in results.front:
        assert f"\\u003cb\\u003e{evaluation.pair.architecture}" in page


def test_an_unfinished_run_says_how_to_finish_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unfinished search; finish it with `cosynth search --resume"):
        load_results(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"front": [], "best": 3}'])
def test_damaged_results_are_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "pareto.json").write_text(content)
    with pytest.raises(InputError, match="is damaged"):
        load_results(tmp_path)


def test_settings_survive_the_disk(tmp_path: Path) -> None:
    settings = Settings(accuracy=Oracle.TABULAR, constraints=("cycles<=100",), seed=7)
    settings.save(tmp_path)
    assert load_settings(tmp_path) == settings


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"colour": 1}', "7" * 5000])
def test_a_directory_without_settings_is_no_run(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "settings.json").write_text(content)
    with pytest.raises(InputError, match="run: "):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("accuracy", '"foo"', ", ".join(Oracle)),
        ("accuracy", "[]", ", ".join(Oracle)),
        ("strategy", "null", ", ".join(StrategyName)),
        ("population", '"x"', "an integer"),
        ("budget", "800.5", "an integer"),
        ("seed", "true", "an integer"),
        ("supernet_epochs", '"3"', "an integer or null"),
        ("clock_mhz", '"100"', "a number"),
        ("clock_mhz", "1" + 400 * "0", "a number"),
        ("constraints", "5", "a list of strings"),
        ("constraints", '"cycles<=5"', "a list of strings"),
        ("constraints", "[5]", "a list of strings"),
        ("space", "null", "a string"),
        ("data_dir", "7", "a string or null"),
        ("builds", "0", "at least 1"),
    ],
)
def test_a_bad_setting_on_file_is_named_with_the_file(tmp_path: Path, field: str, value: str, accepted: str) -> None:
    (tmp_path / "settings.json").write_text(f'{{"{field}": {value}}}')
    with pytest.raises(InputError, match=rf"^run: .*settings\.json has {field}: .*; accepted: {accepted}$"):
        load_settings(tmp_path)


def test_a_malformed_constraint_on_file_is_named_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"constraints": ["watts<=5"]}')
    with pytest.raises(InputError, match=r"^run: .*settings\.json has constraint: 'watts' is not a metric"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("population", 3),
        ("budget", 39),
        ("builds", 0),
        ("clock_mhz", 0.0),
        ("clock_mhz", float("nan")),
        ("verified_images", 0),
        ("seed", -1),
        ("supernet_epochs", 0),
        ("oracle_epochs", 0),
        ("training_epochs", 0),
    ],
)
def test_each_setting_out_of_range_is_named(field: str, value: float) -> None:
    with pytest.raises(InputError, match=f"^{field}: .* is out of range; accepted: "):
        Settings(**{field: value})


@pytest.mark.parametrize("objectives", [("accuracy",), ("cycles", "cycles"), ("watts",), ()])
def test_an_objective_that_is_none_is_refused(objectives: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"^objective: .*; accepted: one or more of cycles, .*energy_uj"):
        Settings(objectives=objectives)


@pytest.mark.parametrize("oracle", [oracle for oracle in Oracle if oracle.scores])
def test_a_bound_on_accuracy_is_refused_where_it_is_a_score(oracle: Oracle) -> None:
    with pytest.raises(InputError, match=f"^constraint: accuracy>=0.9 bounds a fraction, and {oracle} only ranks"):
        Settings(accuracy=oracle, constraints=("accuracy>=0.9",))
    Settings(accuracy=oracle, constraints=("latency_ms<=5",))


def test_a_score_is_not_printed_as_a_percentage(results: Results) -> None:
    scored = replace(results.front[0], accuracy=1234.5, accuracy_tier=AccuracyTier.ZERO_COST)
    assert scored.accuracy_text == "1234"
    assert replace(scored, accuracy=0.5, accuracy_tier=AccuracyTier.TRAINED).accuracy_text == "50.00%"


def test_a_bound_on_latency_asks_for_accuracy_and_one_on_accuracy_for_speed(results: Results) -> None:
    def chosen(constraint: str) -> tuple[float, float]:
        best = best_pair(results.front, [parse_constraint(constraint)], OBJECTIVES)
        assert best is not None
        assert best.cycles is not None
        return best.accuracy, best.cycles

    bound = sorted(evaluation.cycles or 0 for evaluation in results.front)[len(results.front) // 2]
    accuracy, cycles = chosen(f"cycles<={bound}")
    assert cycles <= bound
    assert accuracy == max(e.accuracy for e in results.front if (e.cycles or 0) <= bound)
    accuracy, cycles = chosen("accuracy>=0.8")
    assert accuracy >= 0.8
    assert cycles == min(e.cycles or 0 for e in results.front if e.accuracy >= 0.8)


def test_a_bound_on_accuracy_asks_for_the_least_energy_where_that_is_the_objective(results: Results) -> None:
    best = best_pair(results.front, [parse_constraint("accuracy>=0.8")], Objectives(100, ("energy_uj",)))
    assert best is not None
    assert best.energy_uj == min(e.energy_uj or 0 for e in results.front if e.accuracy >= 0.8)
