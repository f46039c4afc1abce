"""What the promotion ladder is for: cheap looks at many, dear ones at few."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from moocore import hypervolume

from nas.strategies import Outcome, Problem, Proposal, Strategy, StrategyName, strategy
from tests.nas.strategies.test_conformance import PROBLEM, evaluate

LADDER = replace(PROBLEM, fidelities=3)
COSTS = (1, 8, 64)
"""Of an evaluation, by fidelity."""
ERRORS = (0.3, 0.1, 0.0)


def seen_at(proposal: Proposal) -> Outcome:
    """The truth, with an error that is less the higher the rung is."""
    outcome = evaluate(proposal.genes)
    if outcome.objectives is None:
        return replace(outcome, fidelity=proposal.fidelity)
    error = np.random.default_rng(proposal.genes).normal(scale=ERRORS[proposal.fidelity], size=2)
    values = np.exp(error) * outcome.objectives
    return Outcome(proposal.genes, tuple(values.tolist()), fidelity=proposal.fidelity)


def climb(searcher: Strategy, means: int) -> list[Outcome]:
    """The outcomes until ``means`` are spent."""
    outcomes: list[Outcome] = []
    while means > 0:
        told = [seen_at(proposal) for proposal in searcher.ask(searcher.batch)]
        searcher.tell(told)
        outcomes += told
        means -= sum(COSTS[outcome.fidelity] for outcome in told)
    return outcomes


def test_what_climbs_was_found_good_a_rung_below() -> None:
    searcher = strategy(StrategyName.SUCCESSIVE, LADDER, seed=0)
    told: dict[Proposal, Outcome] = {}
    for _ in range(40):
        proposals = searcher.ask(4)
        for proposal in proposals:
            if proposal.fidelity:
                below = told[Proposal(proposal.genes, proposal.fidelity - 1)]
                assert below.feasible
        told |= {proposal: seen_at(proposal) for proposal in proposals}
        searcher.tell([told[proposal] for proposal in proposals])
    counts = Counter(proposal.fidelity for proposal in told)
    assert counts[0] >= 3 * counts[1] >= 9 * counts[2] > 0


def test_a_feasible_one_of_few_is_not_promoted() -> None:
    searcher = strategy(StrategyName.SUCCESSIVE, LADDER, seed=0)
    proposals = searcher.ask(2)
    searcher.tell([seen_at(proposal) for proposal in proposals])
    assert [proposal.fidelity for proposal in searcher.ask(3)] == [0, 0, 0]


def test_for_the_same_means_it_finds_a_better_front_than_looking_dearly_at_once() -> None:
    def mean_hypervolume(name: StrategyName, problem: Problem) -> float:
        volumes = []
        for seed in range(3):
            top = [o for o in climb(strategy(name, problem, seed), means=2000) if o.fidelity == 2 and o.feasible]
            volumes.append(hypervolume(np.array([outcome.objectives for outcome in top]), ref=[2.0, 30.0]))
        return float(np.mean(volumes))

    ladder = mean_hypervolume(StrategyName.SUCCESSIVE, LADDER)
    for at_once in (StrategyName.RANDOM, StrategyName.NSGA2):
        assert ladder > mean_hypervolume(at_once, LADDER)
