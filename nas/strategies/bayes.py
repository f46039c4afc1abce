"""Multi-objective Bayesian optimisation with tree-structured Parzen estimators (Ozaki et al., GECCO 2020; Optuna's)."""

from __future__ import annotations

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from nas.strategies.base import Genes, Outcome, Problem, Strategy

STARTUP = 20
"""Random proposals before the first estimate."""
CANDIDATES = 24
"""Draws from the density of good genes, of which the best by the ratio of densities is proposed."""
MOST = 1e12
"""Violation of what is nothing; the sampler takes no infinity."""


class Bayes(Strategy):
    """Optuna's TPESampler, asked one at a time."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it reports every trial on standard error
        self._sampler = optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=STARTUP, n_ei_candidates=CANDIDATES, multivariate=True, constant_liar=False
        )
        self._distributions: dict[str, BaseDistribution] = {
            str(gene): IntDistribution(0, size - 1) if ordered else CategoricalDistribution(range(size))
            for gene, (size, ordered) in enumerate(zip(problem.gene_sizes, problem.ordered, strict=True))
        }
        self._study = self._new_study()
        self._studied: dict[Genes, Outcome] = {}

    def _new_study(self) -> optuna.Study:
        return optuna.create_study(directions=["minimize"] * self.problem.objectives, sampler=self._sampler)

    def _propose(self) -> Genes:
        return self._new(self._sample)

    def _sample(self) -> Genes:
        """The sampler's next trial; it enters the study once it is told."""
        trial = self._study.ask(self._distributions)
        self._study.tell(trial, state=TrialState.FAIL)
        return tuple(trial.params.values())

    def _learn(self) -> None:
        outcomes = self._outcomes
        if any(self._studied.get(outcome.genes, outcome) != outcome for outcome in outcomes):
            self._study = self._new_study()  # finished trials cannot be corrected
            self._studied = {}
        known = [outcome.objectives for outcome in outcomes if outcome.objectives is not None]
        worst = [max(values) for values in zip(*known, strict=True)] or [0.0] * self.problem.objectives
        for outcome in outcomes:
            if outcome.genes not in self._studied:
                self._study.add_trial(
                    create_trial(
                        params={str(gene): value for gene, value in enumerate(outcome.genes)},
                        distributions=self._distributions,
                        values=outcome.objectives or worst,
                        constraints={"violation": min(outcome.violation, MOST)},
                    )
                )
                self._studied[outcome.genes] = outcome
