"""The comparison of strategies, on a toy space."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flows.experiments.oracle import PairOracle
from flows.experiments.strategies import Trajectory, mean_and_interval, run_strategy, winner, yardstick
from flows.experiments.strategies_report import Winner, comparison_page, comparison_png, comparison_values
from flows.pairs.accelerator_space import ACCELERATOR_SPACES
from flows.pairs.evaluation import Cost, Pair
from flows.pairs.space import PairSpace
from hwgen.config import PRESETS
from hwgen.errors import InputError
from nas.strategies import StrategyName
from tests.flows.fakes import ToyEvaluator, ToySpace
from tests.flows.test_cli import assert_refused

SPACE = PairSpace(ToySpace(), ACCELERATOR_SPACES["digits"])
BUDGET = 24
GENES = (1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0)


class CountingEvaluator(ToyEvaluator):
    def __init__(self) -> None:
        super().__init__()
        self.modelled: list[Pair] = []

    def modelled_cost(self, pair: Pair) -> Cost:
        self.modelled.append(pair)
        return super().modelled_cost(pair)


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[PairOracle]:
    with closing(PairOracle(tmp_path / "oracle.jsonl", ToyEvaluator())) as oracle:
        yield oracle


def run(oracle: PairOracle, seed: int, name: StrategyName = StrategyName.NSGA2) -> Trajectory:
    return run_strategy(name, seed, SPACE, oracle, SPACE.problem(BUDGET, population=8))


def test_a_pair_is_evaluated_once_whatever_asks_for_it_and_also_later(tmp_path: Path) -> None:
    pair = SPACE.pair(GENES)
    assert pair is not None
    evaluator, path = CountingEvaluator(), tmp_path / "oracle.jsonl"
    answers = []
    for _ in range(2):
        with closing(PairOracle(path, evaluator)) as oracle:
            answers += [oracle.evaluation(pair), oracle.evaluation(pair)]
    assert evaluator.modelled == [pair]
    assert len(set(answers)) == 1


def test_a_torn_last_line_is_dropped_and_a_damaged_one_named(tmp_path: Path) -> None:
    path = tmp_path / "oracle.jsonl"
    with closing(PairOracle(path, ToyEvaluator())) as oracle:
        oracle.outcome(GENES, SPACE.pair(GENES))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:10])
    with closing(PairOracle(path, ToyEvaluator())) as oracle:
        assert len(oracle) == 1
    assert path.read_bytes() == whole
    path.write_bytes(b"[]\n" + whole)
    with pytest.raises(InputError, match=r"line 1 of .*oracle\.jsonl is damaged"):
        PairOracle(path, ToyEvaluator())


def test_two_experiments_do_not_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "oracle.jsonl"
    with closing(PairOracle(path, ToyEvaluator())), pytest.raises(InputError, match=r"another .* is writing"):
        PairOracle(path, ToyEvaluator())


def test_a_run_has_its_budget_and_repeats_by_seed(oracle: PairOracle) -> None:
    first, again, other = (run(oracle, seed) for seed in (1, 1, 2))
    assert len(first.objectives) == BUDGET
    assert np.array_equal(first.objectives, again.objectives)
    assert first.pairs == again.pairs
    assert not np.array_equal(first.objectives, other.objectives)
    assert (np.diff(first.own_seconds) >= 0).all()
    assert first.different[-1] == len(set(first.pairs) - {None})
    assert set(np.diff(first.different)) <= {0, 1}


def test_the_whole_front_measures_one_and_a_part_of_it_less() -> None:
    points = np.array([[0.0, 2.0], [1.0, 1.0], [2.0, 0.0], [2.0, 2.0], [np.inf, np.inf]])
    measure = yardstick(points)
    assert measure(points) == pytest.approx(1)
    assert 0 < measure(points[:1]) < measure(points[:2]) < 1
    assert measure(points[4:]) == 0


def test_a_single_value_has_no_interval() -> None:
    assert np.isnan(mean_and_interval([0.5])[1])
    mean, half = mean_and_interval([0.4, 0.6])
    assert mean == pytest.approx(0.5)
    assert half == pytest.approx(12.706 * 0.1, rel=1e-3)


def test_the_winner_is_the_best_pair_by_itself(oracle: PairOracle) -> None:
    runs = [run(oracle, seed) for seed in range(2)]
    measure = yardstick(np.concatenate([found.objectives for found in runs]))
    best = winner(measure, runs)
    assert best is not None
    volumes = {pair: measure(point[None]) for r in runs for pair, point in zip(r.pairs, r.objectives, strict=True)}
    assert volumes[best] == pytest.approx(max(volumes.values()))
    nothing = replace(runs[0], objectives=np.full_like(runs[0].objectives, np.inf))
    assert winner(measure, [nothing]) is None


def test_the_comparison_holds_every_run_and_what_became_of_the_winner(oracle: PairOracle) -> None:
    names = (StrategyName.RANDOM, StrategyName.NSGA2)
    runs = [run(oracle, seed, name) for seed in range(2) for name in names]
    modelled = oracle.evaluation(Pair("444", PRESETS["default"]))
    assert modelled.cost is not None
    slower = Cost(modelled.cost.cycles * 1.25, modelled.cost.energy_uj)
    winners = [Winner(StrategyName.RANDOM, modelled, slower), Winner(StrategyName.NSGA2, modelled, None)]
    values = comparison_values("toy", runs, oracle.cpu_seconds_per_pair, winners)
    assert [(found["strategy"], found["seed"]) for found in values["runs"]] == [(r.strategy, r.seed) for r in runs]
    for found in values["runs"]:
        assert len(found["hypervolume"]) == len(found["evaluated"]) == BUDGET
        assert found["hypervolume"] == sorted(found["hypervolume"])
        assert 0 <= found["hypervolume"][-1] <= 1
    page = comparison_page(values, "strategies.png")
    compared, judged = [line for line in page.splitlines() if line.startswith("| nsga2")]
    assert " of 2 |" in compared
    assert "does not fit" in judged
    assert "| +25.00 % | +0.00 % |" in page
    assert "of random search: " in page
    assert comparison_png(values).startswith(b"\x89PNG")


def test_a_space_without_a_table_is_named_and_nothing_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("experiment", "strategies", "--space", "mbconv", "-o", out)
    assert_refused(capsys, *arguments, naming="mbconv has no table for cifar10")
    assert not out.exists()
