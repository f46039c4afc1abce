"""What every strategy must do, on a problem that costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from moocore import hypervolume

from nas.strategies import Genes, Outcome, Problem, Proposal, Strategy, StrategyName, strategy

PROBLEM = Problem(
    gene_sizes=(5, 5, 5, 5, 3, 4, 6),
    ordered=(False,) * 5 + (True,) * 2,
    objectives=2,
    budget=80,
    population=12,
    network_genes=5,
)
LEARNING = [name for name in StrategyName if name is not StrategyName.RANDOM]
GOOD = (3, 1, 4, 1, 2)
"""Of the unordered genes, the choices that lessen the error."""

every_strategy = pytest.mark.parametrize("name", StrategyName)
every_learning_strategy = pytest.mark.parametrize("name", LEARNING)


def evaluate(genes: Genes) -> Outcome:
    """Error against cost: good choices lessen the error, larger sizes do so at a cost; a first gene of 0 is nothing."""
    if genes[0] == 0:
        return Outcome(genes, None)
    wrong = sum(gene != good for gene, good in zip(genes, GOOD, strict=False))
    width, depth = genes[5:]
    return Outcome(genes, (wrong / 5 + 1 / (1 + width + depth), (1 + width) * (2 + depth) + abs(width - 1) + wrong))


def constrained(genes: Genes) -> Outcome:
    """Only small sizes are feasible, and the objectives of others are not evaluated: an early rejection."""
    excess = (sum(genes[5:]) - 2) / 2
    outcome = evaluate(genes)
    if outcome.objectives is None:
        return outcome
    return replace(outcome, objectives=outcome.objectives if excess <= 0 else None, excesses=(excess,))


def hopeless(genes: Genes) -> Outcome:
    return Outcome(genes, None, (1.0 + sum(genes),))


def evaluated(proposal: Proposal, evaluator: Callable[[Genes], Outcome] = evaluate) -> Outcome:
    """The outcome of a proposal, of whatever fidelity."""
    return replace(evaluator(proposal.genes), fidelity=proposal.fidelity)


def run(searcher: Strategy, evaluator: Callable[[Genes], Outcome], budget: int = PROBLEM.budget) -> list[Outcome]:
    """The outcomes of ``budget`` proposals, asked for as the strategy would best be."""
    outcomes: list[Outcome] = []
    while len(outcomes) < budget:
        proposals = searcher.ask(min(searcher.batch, budget - len(outcomes)))
        told = [evaluated(proposal, evaluator) for proposal in proposals]
        searcher.tell(told)
        outcomes += told
    return outcomes


@every_strategy
def test_proposals_are_in_range_and_as_many_as_asked_for(name: StrategyName) -> None:
    searcher = strategy(name, PROBLEM, seed=0)
    assert searcher.ask(0) == []
    assert len(searcher.ask(5)) == 5
    for outcome in run(searcher, evaluate):
        assert len(outcome.genes) == len(PROBLEM.gene_sizes)
        assert all(type(gene) is int for gene in outcome.genes)
        assert all(0 <= gene < size for gene, size in zip(outcome.genes, PROBLEM.gene_sizes, strict=True))


@every_strategy
def test_the_seed_settles_the_proposals(name: StrategyName) -> None:
    first, again, other = (run(strategy(name, PROBLEM, seed), evaluate) for seed in (3, 3, 4))
    assert first == again
    assert first != other


@every_strategy
def test_no_proposal_is_repeated_while_there_are_others(name: StrategyName) -> None:
    genes = [outcome.genes for outcome in run(strategy(name, PROBLEM, seed=0), evaluate)]
    assert len(set(genes)) == len(genes)


@every_strategy
def test_a_space_smaller_than_the_budget_is_no_trouble(name: StrategyName) -> None:
    tiny = Problem((2, 2), (False, True), objectives=2, budget=30, population=8)
    outcomes = run(strategy(name, tiny, seed=0), lambda genes: Outcome(genes, tuple(map(float, genes))), budget=30)
    assert {outcome.genes for outcome in outcomes} == {(0, 0), (0, 1), (1, 0), (1, 1)}


@every_strategy
def test_outcomes_may_be_told_in_any_order(name: StrategyName) -> None:
    forwards, backwards = (strategy(name, PROBLEM, seed=1) for _ in range(2))
    for _ in range(6):
        proposals = forwards.ask(12)
        assert backwards.ask(12) == proposals
        forwards.tell([evaluated(proposal) for proposal in proposals])
        for proposal in reversed(proposals):
            backwards.tell([evaluated(proposal)])


@every_strategy
def test_it_may_be_asked_while_outcomes_are_pending(name: StrategyName) -> None:
    searcher = strategy(name, PROBLEM, seed=1)
    pending = searcher.ask(20)
    for _ in range(20):
        pending += searcher.ask(4)
        searcher.tell([evaluated(proposal) for proposal in pending[1::3]])
        del pending[1::3]
    searcher.tell([evaluated(proposal) for proposal in pending])
    assert len(searcher.ask(4)) == 4


@every_strategy
def test_replaying_the_calls_continues_alike(name: StrategyName) -> None:
    uninterrupted = strategy(name, PROBLEM, seed=2)
    finished = run(uninterrupted, evaluate, budget=40)
    resumed = strategy(name, PROBLEM, seed=2)
    known = {outcome.genes: outcome for outcome in finished}
    assert run(resumed, known.__getitem__, budget=40) == finished
    assert run(resumed, evaluate, budget=40) == run(uninterrupted, evaluate, budget=40)


@every_strategy
def test_what_was_never_asked_for_is_refused(name: StrategyName) -> None:
    with pytest.raises(ValueError, match="never asked for"):
        strategy(name, PROBLEM, seed=0).tell([evaluate((1,) * 7)])


@every_strategy
@pytest.mark.parametrize("evaluator", [hopeless, lambda genes: Outcome(genes, None)])
def test_nothing_feasible_is_no_trouble(name: StrategyName, evaluator: Callable[[Genes], Outcome]) -> None:
    assert len(run(strategy(name, PROBLEM, seed=0), evaluator)) == PROBLEM.budget


@every_learning_strategy
def test_it_learns_to_meet_the_constraints(name: StrategyName) -> None:
    baseline = run(strategy(StrategyName.RANDOM, PROBLEM, seed=0), constrained)
    outcomes = run(strategy(name, PROBLEM, seed=0), constrained)
    late = np.mean([outcome.feasible for outcome in outcomes[-30:]])
    assert late > 0.5
    assert late > 1.5 * np.mean([outcome.feasible for outcome in baseline])


@every_learning_strategy
def test_a_correction_replaces_what_was_told(name: StrategyName) -> None:
    """Told at first that good is bad, and then the truth, it goes on as one that was told the truth at once."""

    def opposite(genes: Genes) -> Outcome:
        outcome = evaluate(genes)
        return Outcome(genes, outcome.objectives and tuple(-value for value in outcome.objectives))

    misled, told = (strategy(name, PROBLEM, seed=5) for _ in range(2))
    proposals = misled.ask(40)
    assert told.ask(40) == proposals
    misled.tell([evaluated(proposal, opposite) for proposal in proposals])
    misled.tell([evaluated(proposal) for proposal in proposals])
    told.tell([evaluated(proposal) for proposal in proposals])
    assert misled.ask(10) == told.ask(10)


@every_learning_strategy
def test_it_beats_random_search_in_hypervolume(name: StrategyName) -> None:
    def mean_hypervolume(searched: StrategyName) -> float:
        fronts = [run(strategy(searched, PROBLEM, seed), evaluate) for seed in range(3)]
        points = [[found.objectives for found in front if found.feasible] for front in fronts]
        return float(np.mean([hypervolume(np.array(front), ref=[2.0, 30.0]) for front in points]))

    assert mean_hypervolume(name) > mean_hypervolume(StrategyName.RANDOM)
