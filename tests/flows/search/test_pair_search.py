"""The joint search, on a toy space with a closed-form evaluator."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.pairs.accelerator_space import ACCELERATOR_SPACES
from flows.pairs.constraints import parse_constraint
from flows.pairs.evaluation import Cost, Evaluation, Pair, Tier
from flows.pairs.evaluation_log import UNRECORDED, EvaluationLog, read_evaluations
from flows.pairs.objectives import Objectives
from flows.pairs.pareto import satisfies
from flows.pairs.space import PairSpace
from flows.search.chip_correction import Implement, as_modelled
from flows.search.pair_search import PairSearch, SearchSettings
from flows.stopwatch import Spent
from hwgen.errors import InputError
from nas.accuracy import AccuracyTier
from nas.strategies import StrategyName
from tests.flows.fakes import ToyEvaluator, ToyScreen, ToySpace

ACCELERATORS = ACCELERATOR_SPACES["digits"]
OBJECTIVES = Objectives(clock_mhz=100)


def run_search(
    path: Path,
    evaluator: ToyEvaluator,
    *constraints: str,
    builds: int = 4,
    strategy: StrategyName = StrategyName.NSGA2,
    screens: Sequence[ToyScreen] = (),
    objectives: Objectives = OBJECTIVES,
    implement: Implement = lambda accelerators: as_modelled,
) -> list[Evaluation]:
    settings = SearchSettings(
        strategy=strategy,
        budget=96,
        population=16,
        accelerator_builds=builds,
        constraints=tuple(parse_constraint(text) for text in constraints),
        objectives=objectives,
        seed=1,
    )
    with closing(EvaluationLog(path)) as log:
        space = PairSpace(ToySpace(), ACCELERATORS)
        return PairSearch(space, evaluator, settings, log, lambda progress: None, screens, implement).run()


def test_every_member_of_the_front_was_measured(tmp_path: Path) -> None:
    evaluator = ToyEvaluator()
    front = run_search(tmp_path / "log.jsonl", evaluator)
    assert front
    for evaluation in front:
        assert evaluation.tier is Tier.MEASURED
        assert evaluation.pair in evaluator.measured
        assert evaluation.cost == ToyEvaluator().measured_cost(evaluation.pair)


@pytest.mark.parametrize(
    "beside_accuracy", [("cycles", "lut_equivalents"), ("energy_uj",), ("gmac_per_s", "multipliers")]
)
def test_no_measured_pair_dominates_a_member_of_the_front(tmp_path: Path, beside_accuracy: tuple[str, ...]) -> None:
    objectives = Objectives(100, beside_accuracy)
    front = run_search(tmp_path / "log.jsonl", ToyEvaluator(), objectives=objectives)
    measured = [e for e in read_evaluations(tmp_path / "log.jsonl") if e.tier is Tier.MEASURED and e.cycles is not None]
    assert front
    for member in front:
        for other in measured:
            mine, theirs = objectives.vector(member), objectives.vector(other)
            assert mine == theirs or any(a < b for a, b in zip(mine, theirs, strict=True))


def test_no_more_accelerators_are_built_than_allowed(tmp_path: Path) -> None:
    evaluator = ToyEvaluator()
    run_search(tmp_path / "log.jsonl", evaluator, builds=3)
    assert len({pair.accelerator for pair in evaluator.measured}) == 3


def test_a_pair_that_cannot_run_is_not_in_the_front(tmp_path: Path) -> None:
    front = run_search(tmp_path / "log.jsonl", ToyEvaluator(), builds=8)
    assert all(evaluation.cycles is not None for evaluation in front)


@pytest.mark.parametrize(
    "constraint",
    ["latency_ms<=0.1", "accuracy>=0.8", "gmac_per_s>=0.5", "energy_uj<=80", "multipliers<=16", "fits=ecp5-25k"],
)
def test_the_front_meets_the_constraint(tmp_path: Path, constraint: str) -> None:
    front = run_search(tmp_path / "log.jsonl", ToyEvaluator(), constraint)
    assert front
    assert all(satisfies(evaluation, [parse_constraint(constraint)], 100) for evaluation in front)


def test_the_same_seed_gives_the_same_front(tmp_path: Path) -> None:
    assert run_search(tmp_path / "a.jsonl", ToyEvaluator()) == run_search(tmp_path / "b.jsonl", ToyEvaluator())


def untimed(log: bytes) -> list[dict[str, Any]]:
    """The log's lines without the seconds, which no two runs share."""
    return [json.loads(line) | {"wall_seconds": None, "cpu_seconds": None} for line in log.splitlines()]


@pytest.mark.parametrize("strategy", StrategyName)
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_resuming_repeats_no_finished_measurement_and_ends_at_the_same_front(
    tmp_path: Path, kept: float, strategy: StrategyName
) -> None:
    whole, torn = tmp_path / "whole.jsonl", tmp_path / "torn.jsonl"
    front = run_search(whole, ToyEvaluator(), "latency_ms<=0.2", strategy=strategy)
    content = whole.read_bytes()
    torn.write_bytes(content[: int(len(content) * kept)])
    finished = [json.loads(line) for line in torn.read_bytes().split(b"\n")[:-1]]
    measured = sum(values["cycles_tier"] == Tier.MEASURED for values in finished)
    evaluator = ToyEvaluator()
    assert run_search(torn, evaluator, "latency_ms<=0.2", strategy=strategy) == front
    assert untimed(torn.read_bytes()) == untimed(content)
    assert measured + len(evaluator.measured) == sum(b"measured" in line for line in content.splitlines())


def test_no_accuracy_is_asked_of_a_pair_whose_hardware_misses_a_constraint(tmp_path: Path) -> None:
    evaluator = ToyEvaluator()
    bound = parse_constraint("latency_ms<=0.1")
    front = run_search(tmp_path / "log.jsonl", evaluator, str(bound))
    modelled = [found for found in read_evaluations(tmp_path / "log.jsonl") if found.tier is Tier.MODELLED]
    meeting = {found.pair.architecture for found in modelled if satisfies(found, [bound], 100)}
    turned_away = {found.pair.architecture for found in modelled} - meeting
    assert front
    assert turned_away
    assert len(evaluator.accuracies) == len(set(evaluator.accuracies))
    assert meeting <= set(evaluator.accuracies)
    assert not turned_away & set(evaluator.accuracies)
    for found in modelled:
        assert (found.accuracy_tier is AccuracyTier.NOT_ASKED) == (not satisfies(found, [bound], 100))


def test_a_pair_that_the_corrected_model_readmits_has_its_accuracy_asked(tmp_path: Path) -> None:
    """Modelled three times too slow, many pairs miss the bound at first; the measurements of others readmit them."""

    class Pessimist(ToyEvaluator):
        def measured_cost(self, pair: Pair) -> Cost | None:
            self.measured.append(pair)
            cost = self.modelled_cost(pair)
            return replace(cost, cycles=cost.cycles // 3)

    evaluator = Pessimist()
    front = run_search(tmp_path / "log.jsonl", evaluator, "latency_ms<=0.1", builds=8)
    evaluations = read_evaluations(tmp_path / "log.jsonl")
    readmitted = [
        found
        for number, found in enumerate(evaluations)
        if any(other.pair == found.pair and other.tier is found.tier for other in evaluations[:number])
    ]
    assert readmitted
    assert all(found.accuracy_tier is AccuracyTier.TABULAR for found in (*readmitted, *front))


LADDER = (ToyScreen(AccuracyTier.ZERO_COST), ToyScreen(AccuracyTier.SUPERNET))


def test_a_pair_climbs_one_rung_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    successive = StrategyName.SUCCESSIVE
    front = run_search(path, ToyEvaluator(), "latency_ms<=0.2", strategy=successive, screens=LADDER)
    rungs = [AccuracyTier.ZERO_COST, AccuracyTier.SUPERNET, AccuracyTier.TABULAR]
    looked_at: dict[AccuracyTier, list[Pair]] = {rung: [] for rung in rungs}
    built = {found.pair.accelerator for found in front}
    for found in read_evaluations(path):
        if found.tier is Tier.MEASURED or found.accuracy_tier is AccuracyTier.NOT_ASKED:
            continue
        place = rungs.index(found.accuracy_tier)
        assert found.tier is (Tier.MODELLED if place == 2 else Tier.SCREENED)
        assert found.cycles_tier is Tier.MODELLED
        if place and found.pair.accelerator not in built:
            assert found.pair in looked_at[rungs[place - 1]]
        looked_at[found.accuracy_tier].append(found.pair)
    assert len(looked_at[rungs[0]]) > len(looked_at[rungs[1]]) > len(looked_at[rungs[2]]) > 0
    assert all(found.accuracy_tier is AccuracyTier.TABULAR for found in front)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_search_with_a_ladder_resumes(tmp_path: Path, kept: float) -> None:
    def run(path: Path) -> list[Evaluation]:
        return run_search(path, ToyEvaluator(), "latency_ms<=0.2", strategy=StrategyName.SUCCESSIVE, screens=LADDER)

    whole, torn = tmp_path / "whole.jsonl", tmp_path / "torn.jsonl"
    front = run(whole)
    content = whole.read_bytes()
    torn.write_bytes(content[: int(len(content) * kept)])
    assert run(torn) == front
    assert untimed(torn.read_bytes()) == untimed(content)


def test_every_evaluation_says_what_it_took(tmp_path: Path) -> None:
    run_search(tmp_path / "log.jsonl", ToyEvaluator())
    for found in read_evaluations(tmp_path / "log.jsonl"):
        assert found.spent is not None
        assert 0 <= found.spent.wall_seconds < 60
        assert 0 <= found.spent.cpu_seconds < 60


def test_every_accuracy_says_where_it_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    front = run_search(path, ToyEvaluator())
    for found in (*front, *read_evaluations(path)):
        assert found.accuracy_tier is AccuracyTier.TABULAR
        assert found.accuracy_provenance == f"toy test of {found.pair.architecture}"


def test_a_log_from_before_energy_macs_provenance_and_seconds_were_kept_resumes(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    front = run_search(path, ToyEvaluator())
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    for values in lines:
        for name in ("accuracy_provenance", "energy_uj", "energy_table", "macs", "tier", "wall_seconds", "cpu_seconds"):
            del values[name]
    path.write_text("".join(f"{json.dumps(values)}\n" for values in lines))
    evaluator = ToyEvaluator()
    assert run_search(path, evaluator) == [
        replace(found, cost=Cost(found.metrics(100)["cycles"], None), macs=None, accuracy_provenance=UNRECORDED)
        for found in front
    ]
    assert not evaluator.measured


def evaluation(architecture: str) -> Evaluation:
    pair = Pair(architecture, ACCELERATORS.decode([0] * len(ACCELERATORS.gene_sizes)))
    return Evaluation(pair, Tier.MODELLED, Cost(10, 2.5), 0.5, AccuracyTier.TABULAR, "toy", 900, Spent(0.5, 0.25))


def test_the_log_drops_a_torn_last_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = EvaluationLog(path)
    log.append(evaluation("100"))
    log.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    assert len(read_evaluations(path)) == 1
    with closing(EvaluationLog(path)) as log:
        assert len(log) == 1
    assert path.read_bytes() == whole


DAMAGED_LINES = {
    "no JSON": lambda line: line[:-2],
    "not UTF-8": lambda line: b"\xff" + line,
    "no object": lambda line: b"[]",
    "empty": lambda line: b"",
    "no cycles": lambda line: line.replace(b'"cycles"', b'"bicycles"'),
    "cycles that are no number": lambda line: line.replace(b'"cycles": 10', b'"cycles": "10"'),
    "energy that is no number": lambda line: line.replace(b'"energy_uj": 2.5', b'"energy_uj": "2.5"'),
    "MACs that are no number": lambda line: line.replace(b'"macs": 900', b'"macs": "900"'),
    "accuracy that is no number": lambda line: line.replace(b'"accuracy": 0.5', b'"accuracy": null'),
    "an unknown tier of cycles": lambda line: line.replace(b"modelled", b"guessed"),
    "an unknown tier of accuracy": lambda line: line.replace(b"tabular", b"guessed"),
    "a provenance that is no text": lambda line: line.replace(b'"toy"', b"1"),
    "seconds that are no number": lambda line: line.replace(b'"wall_seconds": 0.5', b'"wall_seconds": "0.5"'),
    "an unknown tier": lambda line: line.replace(b'"tier": "modelled", "cycles"', b'"tier": "x", "cycles"'),
    "an illegal accelerator": lambda line: line.replace(b'"rows": 2', b'"rows": 0'),
}


@pytest.mark.parametrize("damage", DAMAGED_LINES.values(), ids=DAMAGED_LINES)
def test_a_damaged_line_is_named_and_the_log_left_as_it_is(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "log.jsonl"
    with closing(EvaluationLog(path)) as log:
        for architecture in ("100", "101", "110"):
            log.append(evaluation(architecture))
    first, second, third = path.read_bytes().splitlines()
    assert damage(second) != second
    content = b"".join(line + b"\n" for line in (first, damage(second), third))
    path.write_bytes(content)
    for read in (read_evaluations, EvaluationLog):
        with pytest.raises(InputError, match=r"^run: line 2 of .*log\.jsonl is damaged"):
            read(path)
    assert path.read_bytes() == content


def test_two_searches_do_not_write_one_log(tmp_path: Path) -> None:
    with closing(EvaluationLog(tmp_path / "log.jsonl")), pytest.raises(InputError, match="another search"):
        EvaluationLog(tmp_path / "log.jsonl")
