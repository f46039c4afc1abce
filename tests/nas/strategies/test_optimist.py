"""What is the optimist's own: it turns from what is known not to be better."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

from nas.strategies import Genes, Outcome, Problem, StrategyName, strategy
from tests.nas.strategies.test_conformance import run

PROBLEM = Problem((5,) * 6, (False,) * 6, objectives=1, budget=80, population=12)
BEST = (3, 1, 4)


def wrong(genes: Genes) -> Outcome:
    """How many of the first three genes are not the best; the others do not matter."""
    return Outcome(genes, (float(sum(gene != best for gene, best in zip(genes, BEST, strict=False))),))


def smaller_first(genes: Genes) -> Genes | None:
    """As if the first two genes could be exchanged, and a last gene of 0 were nothing."""
    return (*sorted(genes[:2]), *genes[2:]) if genes[-1] else None


def test_what_is_the_same_or_nothing_is_not_proposed() -> None:
    outcomes = run(strategy(StrategyName.OPTIMIST, replace(PROBLEM, canonical=smaller_first), 0), wrong)
    proposed = [outcome.genes for outcome in outcomes]
    assert len(set(proposed)) == PROBLEM.budget
    assert all(genes == smaller_first(genes) for genes in proposed)


def test_with_one_objective_it_also_looks_elsewhere_than_where_the_best_is_known() -> None:
    for seed in range(3):
        outcomes = run(strategy(StrategyName.OPTIMIST, PROBLEM, seed), wrong)
        assert (0.0,) in [outcome.objectives for outcome in outcomes[:40]]
        assert len({outcome.genes[:3] for outcome in outcomes[40:]}) > 3


def test_each_constraint_is_learnt_of_the_genes_that_it_depends_on() -> None:
    """Of four pairs of genes each settles one excess; what is feasible is rare, and hardly ever met by chance."""
    problem = Problem((6,) * 8, (False,) * 8, objectives=1, budget=150, population=12)

    def judged(genes: Genes) -> Outcome:
        excesses = tuple(abs(a - 3) + abs(b - 1) - 1.5 for a, b in zip(genes[::2], genes[1::2], strict=True))
        return Outcome(genes, (float(-sum(genes)),) if max(excesses) <= 0 else None, excesses)

    best = []
    for seed in range(3):
        outcomes = run(strategy(StrategyName.OPTIMIST, problem, seed), judged)
        best.append(min((outcome.objectives or (0.0,) for outcome in outcomes if outcome.feasible), default=(0.0,)))
    assert sorted(best) == [(-20.0,)] * 3


def test_an_excess_that_is_not_known_or_has_no_bound_is_no_trouble() -> None:
    def judged(genes: Genes) -> Outcome:
        if genes[0] == 0:
            return Outcome(genes, None, (inf, nan))
        return Outcome(genes, (float(sum(genes)),), (-float(genes[0]), 1.0 - genes[1]))

    outcomes = run(strategy(StrategyName.OPTIMIST, PROBLEM, 0), judged)
    assert (2.0,) in [outcome.objectives for outcome in outcomes if outcome.feasible]
