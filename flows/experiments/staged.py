"""Joint search and its staged baselines, as ways to spend one budget of evaluations on a task.

Every stage searches by the same strategy. The first of two has half of the budget, the second what is left; a choice of
accelerators that can all be tried within its stage is not searched, they are. An evaluation is of one pair, or, where
only accuracy matters, of one network. What is known without it is free: that genes stand for nothing, that an
accelerator does not fit, and what was evaluated before. Whatever pair was evaluated on the way counts as found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from math import exp, inf, log

import numpy as np

from flows.experiments.task import TaskOracle
from flows.pairs.accelerator_space import distance
from flows.pairs.evaluation import Pair
from hwgen.config import PRESETS
from nas.strategies import Genes, Outcome, Problem, StrategyName, strategy

SAMPLE = 3
"""Networks over which the best fixed accelerator has the least mean cost."""
PATIENCE = 400
"""A strategy of whose proposals so many in a row were free has nothing left to propose."""
DRAWS = 8
"""At most this part of a budget, its inverse, is spent on drawing networks at random."""


class Method(StrEnum):
    """How a pair is searched."""

    JOINT = "joint"
    """Networks and accelerators at once."""
    FIXED_ACCELERATOR = "fixed accelerator"
    """The accelerator with the least geometric mean cost over a sample of networks, then the best network for it."""
    FIXED_NETWORK = "fixed network"
    """The most accurate network, whatever it costs, then the best accelerator for it."""
    NETWORK_FIRST = "network first"
    """The best network for the accelerator nearest to the default preset, then the best accelerator for that."""
    ACCELERATOR_FIRST = "accelerator first"
    """The best accelerator for one network drawn at random, then the best network for that."""


@dataclass(frozen=True)
class SearchSettings:
    """How a method searches, beside its order."""

    strategy: StrategyName
    budget: int
    """Evaluations."""
    population: int


class Run:
    """The evaluations of one method, until its budget is spent."""

    def __init__(self, oracle: TaskOracle, settings: SearchSettings, seed: int) -> None:
        self.oracle = oracle
        self.settings = settings
        self.rng = np.random.default_rng(seed)
        self.best: list[float] = []
        """After each evaluation, the least cost of a pair that is accurate enough and fits; infinite before any."""
        self.pair: Pair | None = None
        """That pair."""
        self._evaluated: set[Pair | str] = set()
        """Pairs, and networks whose accuracy alone was asked for."""

    @property
    def spent(self) -> int:
        return len(self.best)

    def accuracy(self, network: Genes) -> float:
        """Evaluate a network alone."""
        self._spend(self.oracle.name(network))
        return self.oracle.accuracy(network)

    def cost(self, network: Genes, accelerator: Genes) -> float:
        """Evaluate a pair whose accelerator fits, accurate enough or not."""
        cost = self.oracle.cost(network, accelerator)
        pair = self.oracle.space.pair(network + accelerator)
        self._spend(pair, cost if self.oracle.reaches(network) else inf)
        return cost

    def outcome(self, genes: Genes) -> Outcome:
        """Evaluate a pair."""
        outcome = self.oracle.outcome(genes)
        pair = self.oracle.space.pair(genes)
        if pair is not None and self.oracle.fits(pair.accelerator):
            self._spend(pair, exp(outcome.objectives[0]) if outcome.feasible and outcome.objectives else inf)
        return outcome

    def minimise(self, problem: Problem, judge: Callable[[Genes], Outcome]) -> Genes | None:
        """The best genes that the strategy finds by so many evaluations as the problem's budget; None if none does.

        Ends before where the strategy proposes hardly anything new.
        """
        until, free = self.spent + problem.budget, 0
        searcher = strategy(self.settings.strategy, problem, int(self.rng.integers(1 << 31)))
        found: list[Outcome] = []
        while self.spent < until and free < PATIENCE:
            spent = self.spent
            proposals = searcher.ask(min(searcher.batch, until - spent))
            outcomes = [judge(proposal.genes) for proposal in proposals]
            free = 0 if self.spent > spent else free + len(proposals)
            searcher.tell(outcomes)
            found += [outcome for outcome in outcomes if outcome.feasible]
        return min(found, key=lambda outcome: outcome.objectives or (inf,)).genes if found else None

    def _spend(self, evaluated: Pair | str | None, cost: float = inf) -> None:
        """One evaluation, unless it was made before or is of nothing."""
        if evaluated is None or evaluated in self._evaluated:
            return
        self._evaluated.add(evaluated)
        least = self.best[-1] if self.best else inf
        if isinstance(evaluated, Pair) and cost < least:
            self.pair = evaluated
        self.best.append(min(cost, least))


def run_method(method: Method, oracle: TaskOracle, settings: SearchSettings, seed: int) -> Run:
    """Spend the budget on the oracle's task."""
    run = Run(oracle, settings, seed)
    _METHODS[method](run)
    return run


def _joint(run: Run) -> None:
    problem = run.oracle.space.problem(run.settings.budget, run.settings.population)
    run.minimise(replace(problem, objectives=1), run.outcome)


def _fixed_accelerator(run: Run) -> None:
    accelerator = _best_accelerator(run, _drawn_networks(run, SAMPLE), _half(run))
    _best_network(run, accelerator, run.settings.budget)


def _fixed_network(run: Run) -> None:
    def judge(network: Genes) -> Outcome:
        accuracy = run.accuracy(network)
        return Outcome(network, (-accuracy,)) if accuracy > 0 else Outcome(network, None)

    network = run.minimise(_networks(run, _half(run)), judge)
    assert network is not None, "some genes are a network"
    _best_accelerator(run, [network], run.settings.budget)


def _network_first(run: Run) -> None:
    network = _best_network(run, _default_accelerator(run.oracle), _half(run))
    networks = _drawn_networks(run, 1) if network is None else [network]
    _best_accelerator(run, networks, run.settings.budget)


def _accelerator_first(run: Run) -> None:
    accelerator = _best_accelerator(run, _drawn_networks(run, 1), _half(run))
    _best_network(run, accelerator, run.settings.budget)


_METHODS: dict[Method, Callable[[Run], None]] = {
    Method.JOINT: _joint,
    Method.FIXED_ACCELERATOR: _fixed_accelerator,
    Method.FIXED_NETWORK: _fixed_network,
    Method.NETWORK_FIRST: _network_first,
    Method.ACCELERATOR_FIRST: _accelerator_first,
}


def _half(run: Run) -> int:
    return run.settings.budget // 2


def _networks(run: Run, until: int) -> Problem:
    """To choose a network, until so many evaluations are spent."""
    space, budget = run.oracle.space, until - run.spent
    sizes = space.architectures.choices
    unordered = (False,) * len(sizes)
    return Problem(sizes, unordered, 1, budget, run.settings.population, canonical=cache(space.canonical_network))


def _best_network(run: Run, accelerator: Genes, until: int) -> Genes | None:
    """The accurate enough network with the least cost on ``accelerator``; None where none was found."""

    def judge(network: Genes) -> Outcome:
        return replace(run.outcome(network + accelerator), genes=network)

    return run.minimise(_networks(run, until), judge)


def _best_accelerator(run: Run, networks: list[Genes], until: int) -> Genes:
    """The fitting accelerator with the least geometric mean cost of ``networks``; the default where there is none."""
    accelerators = run.oracle.space.accelerators
    if not networks:
        return _default_accelerator(run.oracle)

    def judge(accelerator: Genes) -> Outcome:
        excess = run.oracle.excess(accelerator)
        if excess > 0:
            return Outcome(accelerator, None, (excess,))
        mean = float(np.mean([log(run.cost(network, accelerator)) for network in networks]))
        return Outcome(accelerator, (mean,) if mean < inf else None, (excess,))

    fitting = run.oracle.fitting
    if len(fitting) * len(networks) <= until - run.spent:
        outcomes = [judge(accelerator) for accelerator in fitting]
        return min(outcomes, key=lambda outcome: outcome.objectives or (inf,)).genes
    problem = Problem(
        accelerators.gene_sizes, accelerators.ordered_genes, 1, until - run.spent, run.settings.population
    )
    best = run.minimise(problem, judge)
    return _default_accelerator(run.oracle) if best is None else best


def _drawn_networks(run: Run, count: int) -> list[Genes]:
    """The first ``count`` networks drawn at random that reach the accuracy; else the most accurate that were drawn.

    Fewer where the table has the costs of fewer: it leaves out networks that reach none of the accuracies asked for.
    """
    choices = run.oracle.space.architectures.choices
    drawn: dict[Genes, float] = {}
    for _ in range(run.settings.budget // DRAWS):
        network = tuple(run.rng.integers(choices).tolist())
        accuracy = run.accuracy(network)
        if run.oracle.is_costed(network):
            drawn[network] = accuracy
        if sum(map(run.oracle.reaches, drawn)) == count:
            break
    return sorted(drawn, key=lambda network: -drawn[network])[:count]


def _default_accelerator(oracle: TaskOracle) -> Genes:
    """The genes of the fitting accelerator that is nearest to the default preset."""
    accelerators = oracle.space.accelerators
    return min(oracle.fitting, key=lambda genes: distance(accelerators.decode(genes), PRESETS["default"]))
