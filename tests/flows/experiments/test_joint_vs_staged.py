"""Joint against staged search, on a toy space whose pairs have costs in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite, log
from pathlib import Path

import numpy as np
import pytest

from flows.experiments import pair_table as pair_tables
from flows.experiments.accelerators import ACCELERATORS
from flows.experiments.joint_vs_staged import LUT_EQUIVALENTS, run_task
from flows.experiments.joint_vs_staged_job import task_values
from flows.experiments.joint_vs_staged_plot import comparison_png
from flows.experiments.joint_vs_staged_report import best_staged, comparison_page, excess, savings
from flows.experiments.optimum import optimum
from flows.experiments.pair_table import PairTable, pair_table
from flows.experiments.staged import Method, Run, SearchSettings, run_method
from flows.experiments.task import Metric, Networks, Task, TaskOracle, all_networks, fitting_accelerators
from flows.pairs.cost_model import PairModel
from flows.pairs.evaluation import Pair
from flows.pairs.space import PairSpace
from hwgen.area import lut_equivalents
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError
from nas.spaces import space as find_space
from nas.strategies import StrategyName
from tests.flows.fakes import ToyEvaluator, ToySpace
from tests.flows.test_cli import assert_refused

SPACE = PairSpace(ToySpace(), ACCELERATORS)
SETTINGS = SearchSettings(StrategyName.NSGA2, budget=64, population=8)
LEVEL = 0.8


def toy_cost(network: str, config: AcceleratorConfig) -> float:
    """Deep networks want large buffers, others want large arrays: no accelerator is the best for all."""
    work = sum(1 + int(digit) for digit in network)
    return 100.0 * work / config.multipliers + max(0.0, 40.0 * work - config.act_buffer_kib)


@pytest.fixture(scope="module")
def networks() -> Networks:
    return all_networks(SPACE, ToyEvaluator())


@pytest.fixture(scope="module")
def table(networks: Networks) -> PairTable:
    names = networks.at_least(LEVEL)
    accelerators = fitting_accelerators(SPACE, LUT_EQUIVALENTS)
    costs = np.array([[toy_cost(name, config) for name in names] for config in accelerators])
    return PairTable(tuple(names), tuple(accelerators), costs, costs[::-1], 1.0)


def task(accuracy: float = LEVEL, metric: Metric = Metric.CYCLES) -> Task:
    return Task(metric, accuracy, LUT_EQUIVALENTS)


def test_every_network_and_every_accelerator_that_fits_is_enumerated(networks: Networks) -> None:
    assert len(networks.accuracies) == 5**3 - 1
    assert networks.best == networks.accuracies["444"].value
    accelerators = fitting_accelerators(SPACE, LUT_EQUIVALENTS)
    assert len(set(accelerators)) == len(accelerators) == 72
    assert max(map(lut_equivalents, accelerators)) <= LUT_EQUIVALENTS
    assert len(fitting_accelerators(SPACE, 10 * LUT_EQUIVALENTS)) == 144


@pytest.mark.parametrize("metric", Metric)
def test_the_optimum_is_the_cheapest_pair_that_is_accurate_enough(
    networks: Networks, table: PairTable, metric: Metric
) -> None:
    found = optimum(table, networks.accuracies, task(0.9, metric))
    costs = getattr(table, metric.value)
    assert found.cost == min(
        costs[row, column]
        for row in range(len(table.accelerators))
        for column, name in enumerate(table.architectures)
        if networks.accuracies[name].value >= 0.9
    )
    pair = table.accelerators.index(found.pair.accelerator), table.architectures.index(found.pair.architecture)
    assert costs[pair] == found.cost


@pytest.mark.parametrize("method", Method)
def test_a_method_spends_its_budget_repeats_by_seed_and_finds_what_it_says(
    networks: Networks, table: PairTable, method: Method
) -> None:
    oracle = TaskOracle(SPACE, networks, table, task())
    run, again = (run_method(method, oracle, SETTINGS, seed=3) for _ in range(2))
    assert SETTINGS.budget / 2 < run.spent <= SETTINGS.budget
    assert (run.best, run.pair) == (again.best, again.pair)
    assert run.best == sorted(run.best, reverse=True)
    assert run.pair is not None
    assert networks.accuracies[run.pair.architecture].value >= LEVEL
    assert lut_equivalents(run.pair.accelerator) <= LUT_EQUIVALENTS
    assert run.best[-1] == pytest.approx(toy_cost(run.pair.architecture, run.pair.accelerator))
    assert run.best[-1] >= optimum(table, networks.accuracies, task()).cost * (1 - 1e-9)


def test_a_fixed_network_is_the_most_accurate(networks: Networks, table: PairTable) -> None:
    run = run_method(Method.FIXED_NETWORK, TaskOracle(SPACE, networks, table, task()), SETTINGS, seed=0)
    assert run.best[SETTINGS.budget // 2 - 1] == np.inf
    assert run.pair is not None
    assert networks.accuracies[run.pair.architecture].value >= networks.best - 0.03


def test_accelerators_that_can_all_be_tried_are(networks: Networks, table: PairTable) -> None:
    settings = replace(SETTINGS, budget=160)
    run = run_method(Method.FIXED_NETWORK, TaskOracle(SPACE, networks, table, task()), settings, seed=0)
    assert run.pair is not None
    column = table.architectures.index(run.pair.architecture)
    assert run.best[-1] == table.cycles[:, column].min()


def test_networks_without_costs_are_no_sample(networks: Networks, table: PairTable) -> None:
    """A mean over them would be infinite on every accelerator."""
    few = replace(table, architectures=table.architectures[-2:], cycles=table.cycles[:, -2:])
    settings = replace(SETTINGS, budget=160)
    oracle = TaskOracle(SPACE, networks, few, task(networks.accuracies[few.architectures[0]].value))
    for seed in range(3):
        run = run_method(Method.ACCELERATOR_FIRST, oracle, settings, seed)
        assert run.pair is None or run.pair.architecture in few.architectures


def test_what_is_known_without_evaluating_is_free(networks: Networks, table: PairTable) -> None:
    oracle = TaskOracle(SPACE, networks, table, task())
    run = Run(oracle, SETTINGS, seed=0)
    least, most = (0,) * 8, tuple(size - 1 for size in ACCELERATORS.gene_sizes)
    for genes in ((0, 0, 0, *least), (4, 4, 4, *most), (4, 4, 4, *least), (4, 4, 4, *least)):
        run.outcome(genes)
    assert run.spent == 1


def test_an_accuracy_out_of_reach_is_missed(networks: Networks, table: PairTable) -> None:
    oracle = TaskOracle(SPACE, networks, table, task(2.0))
    for method in Method:
        run = run_method(method, oracle, SETTINGS, seed=0)
        assert run.pair is None
        assert not isfinite(run.best[-1])


def test_outcomes_tell_costs_and_how_far_constraints_are_missed(networks: Networks, table: PairTable) -> None:
    oracle = TaskOracle(SPACE, networks, table, task())
    least, most = (0,) * 8, tuple(size - 1 for size in ACCELERATORS.gene_sizes)
    enough = oracle.outcome((4, 4, 4, *least))
    assert enough.objectives == (log(toy_cost("444", ACCELERATORS.decode(least))),)
    inaccurate, large = oracle.outcome((1, 0, 0, *least)), oracle.outcome((4, 4, 4, *most))
    assert inaccurate.objectives is None
    assert inaccurate.violation == pytest.approx(1 - networks.accuracies["100"].value / LEVEL)
    assert large.violation == pytest.approx(lut_equivalents(ACCELERATORS.decode(most)) / LUT_EQUIVALENTS - 1)
    assert oracle.outcome((0, 0, 0, *least)).violation == np.inf


def test_an_inaccurate_network_s_cost_is_told_where_it_is_known_and_counts_as_found_nowhere(
    networks: Networks, table: PairTable
) -> None:
    level = networks.best
    known = next(name for name in table.architectures if networks.accuracies[name].value < level)
    genes = (*map(int, known), *(0,) * 8)
    oracle = TaskOracle(SPACE, networks, table, task(level))
    told = oracle.outcome(genes)
    assert told.objectives == (log(toy_cost(known, ACCELERATORS.decode((0,) * 8))),)
    assert told.violation == pytest.approx(1 - networks.accuracies[known].value / level)
    run = Run(oracle, SETTINGS, seed=0)
    run.outcome(genes)
    assert (run.best, run.pair) == ([np.inf], None)


def test_of_an_accelerator_that_does_not_fit_no_accuracy_is_told(networks: Networks, table: PairTable) -> None:
    oracle = TaskOracle(SPACE, networks, table, task())
    most = tuple(size - 1 for size in ACCELERATORS.gene_sizes)
    assert oracle.outcome((1, 0, 0, *most)).violation == oracle.outcome((4, 4, 4, *most)).violation > 0


def test_the_page_and_the_plot_hold_every_task(networks: Networks, table: PairTable) -> None:
    results = [run_task(task(LEVEL, metric), SPACE, networks, table, SETTINGS, seeds=2) for metric in Metric]
    energy, latency = (task_values(result, lambda pair: None) for result in results)
    values = {
        "space": "toy", "strategy": "nsga2", "budget": 64, "population": 8, "seeds": 2,
        "lut_equivalents": LUT_EQUIVALENTS, "accelerator_space": {"rows": ["8", "16"]}, "networks": 124,
        "accelerators": 72, "costed_networks": 30, "costing_cpu_seconds": 1.0, "tasks": [energy, latency],
    }  # fmt: skip
    page = comparison_page(values, "toy.png")
    assert "](toy.png)" in page
    assert len([line for line in page.splitlines() if line.startswith("| latency | 80.00% |")]) == 3
    assert comparison_png(values).startswith(b"\x89PNG")
    best = best_staged(latency)
    assert best is not Method.JOINT
    assert all(
        excess(latency, best).mean_and_interval[0] <= excess(latency, method).mean_and_interval[0]
        for method in Method
        if method is not Method.JOINT and not excess(latency, method).missed
    )
    joint, staged = (results[1].runs[method][1].best[-1] for method in (Method.JOINT, best))
    assert savings(latency, best)[1] == pytest.approx(1 - joint / staged)


def test_a_table_of_pairs_is_costed_once_and_refused_to_other_networks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    networks, path = find_space("macro", "digits"), tmp_path / "costs.jsonl"
    names, accelerators = ["01200000", "20000000"], fitting_accelerators(SPACE, LUT_EQUIVALENTS)[:2]
    told: list[int] = []
    first = pair_table(path, networks, names, accelerators[:1], told.append)
    both = pair_table(path, networks, names, accelerators, told.append)
    assert both.cycles.shape == both.energy_uj.shape == (2, 2)
    assert both.cycles[0].tolist() == first.cycles[0].tolist()
    model = PairModel(networks)
    for row, config in enumerate(accelerators):
        costs = [model.cost(Pair(name, config)) for name in names]
        assert both.cycles[row].tolist() == pytest.approx([cost.cycles for cost in costs if cost], rel=0.03)
        assert both.energy_uj[row].tolist() == pytest.approx([cost.energy_uj for cost in costs if cost])
    monkeypatch.setattr(pair_tables, "outline", None)
    again = pair_table(path, networks, names, accelerators, told.append)
    assert (again.cycles.tolist(), again.energy_uj.tolist()) == (both.cycles.tolist(), both.energy_uj.tolist())
    with pytest.raises(InputError, match=r"costs\.jsonl is of other networks; delete the file"):
        pair_table(path, networks, names[:1], accelerators, told.append)


def test_a_space_without_a_table_is_named_and_nothing_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments: Sequence[object] = ("experiment", "joint-vs-staged", "--space", "mbconv", "-o", out)
    assert_refused(capsys, *arguments, naming="mbconv has no table for cifar10")
    assert not out.exists()
