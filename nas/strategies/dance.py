"""Differentiable co-exploration of network and accelerator: DANCE (Choi et al., DAC 2021).

The genes of the network are relaxed by Gumbel softmax. An evaluator, itself differentiable, says what they cost: a
hardware-generation network gives the relaxed accelerator for a relaxed network, and a cost-estimation network the costs
of both. Gradients through it, frozen, move the network's genes, and the accelerator is the one that it generates. Here

- the costs that the problem has a network for, trained beforehand, are that one's; the others are learnt from told
  outcomes, the first of them drawn at random;
- each search has weights of its own, drawn anew, of the objectives against each other, so that a front is found; the
  hardware-generation network reads them. The weighted distances from the best expected are augmented Chebyshev's
  (Steuer and Choo, 1983), as a sum finds no pair where the front is not convex. Of what POOL searches pass, those are
  proposed that add most to the hypervolume; with costs known beforehand its front is first polished, gene by gene, by
  the frozen evaluator;
- there are no images and no shared weights at hand, so no task loss: an estimate of the error, which learns from told
  accuracies, stands in for it, and with costs known beforehand it reads the network alone;
- the hardware-generation network learns, as published, the best of the accelerators searched for each network, by the
  frozen estimates of what they cost;
- what was learnt from outcomes is learnt anew whenever they have grown by GROWTH, and where they were corrected;
  frozen for good, it would go on proposing what it is wrong about.
"""

from __future__ import annotations

from math import nan

import numpy as np
import torch
from moocore import filter_dominated, hypervolume, is_nondominated
from torch import Tensor, nn

from nas.strategies.base import Genes, Outcome, Problem, Proposal, Strategy, gene_rows, genes_of
from nas.strategies.cost_network import Executed
from nas.strategies.ensemble import Ensemble
from nas.strategies.relaxation import Relaxation

BATCH = 4
POOL = 24
"""Searches side by side, of which as many as are asked for until it learns anew are proposed."""
TAUGHT = 0.25
"""Of the budget: the random proposals that the evaluator first learns from."""
FIRST = BATCH
"""They where the costs are known beforehand."""
GROWTH = 1.15
"""Of what was told, after which it learns anew."""
FEWEST = 4
"""Outcomes that it needs."""
ESTIMATOR_STEPS = 120
HIDDEN = 64
GENERATOR_STEPS = 120
GENERATOR_BATCH = 32
GENERATOR_RATE = 1e-2
SEARCH_STEPS = 40
SEARCH_RATE = 0.2
TEMPERATURES = (2.0, 0.3)
"""From the first step to the last."""
SAMPLE = 1000
"""Random pairs, by which objectives are scaled: from the best that is expected of them to the quantile WORST."""
WORST = 0.9
AUGMENTATION = 0.05
"""Weight of the sum beside the largest of the weighted distances."""
REFERENCE = 0.1
"""How far beyond the worst of front and candidates the hypervolume reaches, of their span."""
POLISHES = 3
"""Genes in which what is proposed differs at most from what a search passed."""
SLACK = 0.1
"""Deviations of the violation that an estimate may be off."""
PENALTY = 10.0
"""Of a deviation of the violation, beside one of an objective."""


class Dance(Strategy):
    """Learns from outcomes, then searches POOL pairs side by side."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        genes = len(problem.gene_sizes)
        self._networks = Relaxation(problem, range(problem.network_genes))
        self._accelerators = Relaxation(problem, range(problem.network_genes, genes))
        self._seed = seed
        self._noise = torch.Generator().manual_seed(seed)
        inputs = self._networks.features(torch.zeros((1, self._networks.values))).shape[1] + problem.objectives
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._generator = nn.Sequential(
                nn.Linear(inputs, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, self._accelerators.values)
            )
        self._learnt_from: dict[Proposal, Outcome] = {}
        self._taught = FIRST if problem.costs else TAUGHT * problem.budget
        self._waiting: list[Genes] = []

    @property
    def batch(self) -> int:
        return BATCH

    def estimate(self, genes: np.ndarray) -> np.ndarray:
        """float64 [n, objectives]: what the evaluator expects of ``genes`` int64 [n, genes]; it must have learnt."""
        with torch.no_grad():
            found = self._estimated(*self._certain(genes)).double().numpy()
        return (found * self._estimator.deviation + self._estimator.mean)[:, :-1]

    def _propose(self) -> Genes:
        if len(self._asked) < self._taught or not self._learnt_from:
            return self._new(self._drawn)
        self._waiting = [genes for genes in self._waiting if genes not in self._asked] or self._search()
        return self._waiting.pop(0) if self._waiting else self._new(self._drawn)

    def _learn(self) -> None:
        corrected = any(self._told[proposal] != outcome for proposal, outcome in self._learnt_from.items())
        needed = max(FEWEST, GROWTH * len(self._learnt_from) if self._learnt_from else self._taught)
        if not corrected and len(self._told) < needed:
            return
        self._learnt_from = dict(self._told)
        self._waiting = []
        self._train_estimators(self._outcomes)
        self._train_generator()

    def _train_estimators(self, outcomes: list[Outcome]) -> None:
        """Of the objectives, of which some may be known of no outcome, and the violation."""
        unknown = (nan,) * self.problem.objectives
        values = np.array([(*(outcome.objectives or unknown), outcome.missed) for outcome in outcomes])
        known = np.isfinite(values).any(axis=0)
        values = np.where(known, values, 0.0)
        network, accelerator = self._certain(gene_rows(outcomes))
        features = self._features(network, accelerator)
        self._known = torch.tensor(known[:-1], dtype=torch.float32)
        self._estimator = Ensemble(features.shape[1], values.shape[1], self._seed)
        self._estimator.fit(features, values, ESTIMATOR_STEPS)
        mean, deviation = self._estimator.mean, self._estimator.deviation
        self._mean, self._deviation = (torch.tensor(each, dtype=torch.float32) for each in (mean, deviation))
        self._met = -mean[-1] / deviation[-1]
        if self.problem.costs is not None:
            executed = self.problem.costs.executed(network)
            self._of_network = Ensemble(executed.shape[1], values.shape[1], self._seed)
            self._of_network.fit(executed, values, ESTIMATOR_STEPS)
        genes = self._rng.integers(self._sizes, size=(SAMPLE, len(self._sizes)))
        with torch.no_grad():
            expected = self._estimated(*self._certain(genes))[:, :-1]
        self._ideal = expected.amin(dim=0)
        self._span = (expected.quantile(WORST, dim=0) - self._ideal).clamp_min(1e-6)

    def _train_generator(self) -> None:
        """Go on learning, of random networks under random weights, the best of GENERATOR_BATCH accelerators."""
        split = self.problem.network_genes
        optimiser = torch.optim.Adam(self._generator.parameters(), GENERATOR_RATE, fused=True)
        for _ in range(GENERATOR_STEPS):
            genes = self._rng.integers(self._sizes, size=(GENERATOR_BATCH, len(self._sizes)))
            network, accelerators = self._certain(genes)
            weights = self._drawn_weights(GENERATOR_BATCH)
            with torch.no_grad():
                everyone = torch.arange(GENERATOR_BATCH)
                rows, columns = everyone.repeat_interleave(GENERATOR_BATCH), everyone.repeat(GENERATOR_BATCH)
                losses = self._losses(network[rows], accelerators[columns], weights[rows])
                best = losses.view(GENERATOR_BATCH, GENERATOR_BATCH).argmin(dim=1)
            logits = self._generator(torch.cat([self._networks.features(network), weights], dim=1))
            loss = -self._accelerators.log_likelihood(logits, genes[best, split:]).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    def _search(self) -> list[Genes]:
        """Of all pairs that POOL searches pass, the next proposals, the most promising first."""
        weights = self._drawn_weights(POOL)
        logits = torch.zeros((POOL, self._networks.values), requires_grad=True)
        optimiser = torch.optim.Adam([logits], SEARCH_RATE)
        passed = []
        for temperature in np.geomspace(*TEMPERATURES, SEARCH_STEPS):
            network = self._networks.draw(logits, float(temperature), self._noise)
            accelerator = self._generated(network, weights, float(temperature))
            passed.append(
                np.concatenate([self._networks.harden(network), self._accelerators.harden(accelerator)], axis=1)
            )
            optimiser.zero_grad()
            self._losses(network, accelerator, weights).sum().backward(inputs=[logits])
            optimiser.step()
        genes = np.unique(np.concatenate(passed), axis=0)
        if self.problem.costs is not None:
            genes = self._polished(genes, self.problem.costs.executed)
        found = dict.fromkeys(map(self.problem.canonical, map(genes_of, genes)))
        new = [genes for genes in found if genes is not None and genes not in self._asked]
        return self._promising(np.array(new)) if new else []

    def _polished(self, genes: np.ndarray, executed: Executed) -> np.ndarray:
        """The estimated front of ``genes``, and of what a change of one gene makes of it, POLISHES times over.

        Without networks that execute nothing, of which there are no costs.
        """

        def executing(genes: np.ndarray) -> np.ndarray:
            network, _ = self._certain(genes)
            return genes[(executed(network).sum(dim=1) > 0).numpy()]

        genes = executing(genes)
        for _ in range(POLISHES):
            genes = executing(np.unique(self._changed(self._estimated_front(genes)), axis=0))
        return genes

    def _estimated_front(self, genes: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            points = self._estimated(*self._certain(genes))
            points[:, -1] = (points[:, -1] - self._met - SLACK).clamp_min(0)
        return genes[is_nondominated(points.double().numpy())]

    def _changed(self, genes: np.ndarray) -> np.ndarray:
        """All that differ from one of ``genes`` int64 [n, genes] in one gene, and themselves."""
        values = np.concatenate([np.arange(size) for size in self._sizes])
        changed = np.repeat(genes[:, None], len(values), axis=1)
        changed[:, np.arange(len(values)), np.repeat(np.arange(len(self._sizes)), self._sizes)] = values
        return changed.reshape(-1, len(self._sizes))

    def _promising(self, genes: np.ndarray) -> list[Genes]:
        """Of ``genes`` that meet the constraints, what adds most to the hypervolume, then the next.

        Those that miss the least where none meets them, or an objective is known of no outcome.
        """
        with torch.no_grad():
            missed = (self._estimated(*self._certain(genes))[:, -1] - self._met).numpy()
        if not (missed <= SLACK).any() or not bool(self._known.all()):
            return [genes_of(genes[index]) for index in np.argsort(missed, kind="stable")[:POOL]]
        genes = genes[missed <= SLACK]
        points = self.estimate(genes)
        feasible = [outcome for outcome in self._outcomes if outcome.feasible]
        front = np.array([outcome.objectives for outcome in feasible]).reshape(-1, points.shape[1])
        best = filter_dominated(np.concatenate([front, points]))
        reference = best.max(axis=0) + REFERENCE * np.ptp(best, axis=0) + 1e-9
        left = np.flatnonzero(is_nondominated(points)).tolist()
        order: list[int] = []
        while left and len(order) < POOL:
            volumes = [float(hypervolume(np.vstack([front, points[index]]), ref=reference)) for index in left]
            order.append(left.pop(int(np.argmax(volumes))))
            front = np.vstack([front, points[order[-1]]])
        return [genes_of(genes[index]) for index in order]

    def _drawn_weights(self, count: int) -> Tensor:
        return torch.tensor(self._rng.dirichlet(np.ones(self.problem.objectives), size=count), dtype=torch.float32)

    def _losses(self, network: Tensor, accelerator: Tensor, weights: Tensor) -> Tensor:
        """[n]: of relaxed pairs the weighted distances and the penalty."""
        estimated = self._estimated(network, accelerator)
        distances = weights * self._known * (estimated[:, :-1] - self._ideal) / self._span
        weighted = distances.max(dim=1).values + AUGMENTATION * distances.sum(dim=1)
        return weighted + PENALTY * (estimated[:, -1] - self._met).clamp_min(0)

    def _generated(self, network: Tensor, weights: Tensor, temperature: float) -> Tensor:
        """Distributions [n, values] of the accelerators that are generated for relaxed networks."""
        logits = self._generator(torch.cat([self._networks.features(network), weights], dim=1))
        return self._accelerators.draw(logits, temperature, self._noise)

    def _estimated(self, network: Tensor, accelerator: Tensor) -> Tensor:
        """[n, objectives and violation], standardised."""
        costs = self.problem.costs
        learnt = self._estimator.standardised(self._features(network, accelerator)).mean(dim=0)
        if costs is None:
            return learnt
        columns = list(self._of_network.standardised(costs.executed(network)).mean(dim=0).unbind(dim=1))
        columns[-1] = learnt[:, -1]
        estimates = costs(network, accelerator)
        for column, objective in enumerate(self.problem.costed):
            columns[objective] = (estimates[:, column] - self._mean[objective]) / self._deviation[objective]
        return torch.stack(columns, dim=1)

    def _features(self, network: Tensor, accelerator: Tensor) -> Tensor:
        return torch.cat([self._networks.features(network), self._accelerators.features(accelerator)], dim=1)

    def _certain(self, genes: np.ndarray) -> tuple[Tensor, Tensor]:
        """The distributions [n, values] of the network's and of the accelerator's ``genes`` int64 [n, genes]."""
        split = self.problem.network_genes
        return self._networks.certain(genes[:, :split]), self._accelerators.certain(genes[:, split:])
