"""Differentiable co-exploration of network and accelerator: DANCE (Choi et al., DAC 2021).

The genes of the network are relaxed by Gumbel softmax. An evaluator, itself differentiable, says what they cost: a
hardware-generation network gives the relaxed accelerator for a relaxed network, and a cost-estimation network the costs
of both. It learns from outcomes of the oracle, the first proposals, and is frozen; then gradients through it move the
network's genes, and the accelerator is the one that it generates. Here

- each proposal has weights of its own, drawn anew, of the objectives against each other, so that a front is found; the
  hardware-generation network reads them;
- there are no images and no shared weights at hand, so no task loss: the estimation network has a head for every
  objective, and that of the error, which learns from told accuracies, stands in for it;
- the hardware-generation network learns through the frozen estimation network instead of from searched labels;
- the evaluator learns anew, from everything told, whenever that has grown by GROWTH, and where what it learnt was
  corrected; frozen for good, it would go on proposing what it is wrong about.
"""

from __future__ import annotations

from math import nan

import numpy as np
import torch
from torch import Tensor, nn

from nas.strategies.base import Genes, Outcome, Problem, Proposal, Strategy, gene_rows
from nas.strategies.ensemble import Ensemble
from nas.strategies.relaxation import Relaxation, gumbel

BATCH = 10
TAUGHT = 0.25
"""Of the budget: the random proposals that the evaluator first learns from."""
GROWTH = 1.4
"""Of what was told, after which it learns anew."""
FEWEST = 5
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
PENALTY = 10.0
"""Of a deviation of the violation, beside one of an objective."""


class Dance(Strategy):
    """Searches BATCH proposals at a time, side by side."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        genes = len(problem.gene_sizes)
        self._networks = Relaxation(problem, range(problem.network_genes))
        self._accelerators = Relaxation(problem, range(problem.network_genes, genes))
        self._seed = seed
        self._noise = torch.Generator().manual_seed(seed)
        self._learnt_from: dict[Proposal, Outcome] = {}
        self._waiting: list[tuple[Tensor, Tensor]] = []
        """Of proposals to come the logits of the network's genes [1, values] and the weights [1, objectives]."""

    @property
    def batch(self) -> int:
        return BATCH

    def estimate(self, genes: np.ndarray) -> np.ndarray:
        """float64 [n, objectives]: what the evaluator expects of ``genes`` int64 [n, genes]; it must have learnt."""
        mean, _ = self._estimator.predict(genes)
        return mean[:, :-1]

    def _propose(self) -> Genes:
        if len(self._asked) < TAUGHT * self.problem.budget or not self._learnt_from:
            return self._new(self._uniform)
        if not self._waiting:
            self._waiting = self._search()
        logits, weights = self._waiting.pop(0)
        likeliest = self._generated(logits, weights)
        if likeliest not in self._asked:
            return likeliest
        genes = self._new(lambda: self._generated(logits + gumbel(logits.shape, self._noise), weights))
        return genes if genes not in self._asked else self._new(self._uniform)

    def _generated(self, logits: Tensor, weights: Tensor) -> Genes:
        """The likeliest network of ``logits`` and the accelerator that is generated for it."""
        network = self._networks.harden(logits)
        accelerator = self._accelerators.harden(self._generator_logits(self._networks.certain(network), weights))
        return tuple(np.concatenate([network, accelerator], axis=1)[0].tolist())

    def _learn(self) -> None:
        corrected = any(self._told[proposal] != outcome for proposal, outcome in self._learnt_from.items())
        needed = max(FEWEST, GROWTH * len(self._learnt_from) if self._learnt_from else TAUGHT * self.problem.budget)
        if not corrected and len(self._told) < needed:
            return
        self._learnt_from = dict(self._told)
        self._waiting = []
        self._train_estimator(self._outcomes)
        self._train_generator()

    def _train_estimator(self, outcomes: list[Outcome]) -> None:
        """The objectives, of which some may be known of no outcome, and the violation."""
        unknown = (nan,) * self.problem.objectives
        values = np.array([(*(outcome.objectives or unknown), outcome.missed) for outcome in outcomes])
        known = np.isfinite(values).any(axis=0)
        self._known = torch.tensor(known[:-1], dtype=torch.float32)
        self._estimator = Ensemble(self.problem, values.shape[1], self._seed)
        mean, deviation = values[:, -1].mean(), max(values[:, -1].std(), 1e-9)
        self._met = -mean / deviation
        genes = gene_rows(outcomes)
        self._estimator.fit(genes, np.where(known, values, 0.0), ESTIMATOR_STEPS)

    def _train_generator(self) -> None:
        """Least expected loss of random networks under random weights."""
        sizes = self._sizes[: self.problem.network_genes]
        inputs = self._networks.features(torch.zeros((1, self._networks.values))).shape[1] + self.problem.objectives
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            self._generator = nn.Sequential(
                nn.Linear(inputs, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, self._accelerators.values)
            )
        optimiser = torch.optim.Adam(self._generator.parameters(), GENERATOR_RATE, fused=True)
        for _ in range(GENERATOR_STEPS):
            genes = self._rng.integers(sizes, size=(GENERATOR_BATCH, len(sizes)))
            loss = self._loss(self._networks.certain(genes), self._drawn_weights(GENERATOR_BATCH), 1.0)
            optimiser.zero_grad()
            loss.backward(inputs=list(self._generator.parameters()))  # the estimation network's stay as they are
            optimiser.step()
        self._generator.requires_grad_(False)

    def _search(self) -> list[tuple[Tensor, Tensor]]:
        """Logits of BATCH networks, and the weights that each is best under."""
        weights = self._drawn_weights(BATCH)
        logits = torch.zeros((BATCH, self._networks.values), requires_grad=True)
        optimiser = torch.optim.Adam([logits], SEARCH_RATE)
        for temperature in np.geomspace(*TEMPERATURES, SEARCH_STEPS):
            network = self._networks.draw(logits, float(temperature), self._noise)
            loss = BATCH * self._loss(network, weights, float(temperature))
            optimiser.zero_grad()
            loss.backward(inputs=[logits])
            optimiser.step()
        return list(zip(logits.detach().split(1), weights.split(1), strict=True))

    def _drawn_weights(self, count: int) -> Tensor:
        return torch.tensor(self._rng.dirichlet(np.ones(self.problem.objectives), size=count), dtype=torch.float32)

    def _loss(self, network: Tensor, weights: Tensor, temperature: float) -> Tensor:
        """Mean over relaxed networks of the weighted objectives and the penalty, on generated accelerators."""
        logits = self._generator_logits(network, weights)
        estimated = self._estimated(network, self._accelerators.draw(logits, temperature, self._noise))
        weighted = (weights * self._known * estimated[:, :-1]).sum(dim=1)
        return (weighted + PENALTY * (estimated[:, -1] - self._met).clamp_min(0)).mean()

    def _generator_logits(self, network: Tensor, weights: Tensor) -> Tensor:
        """[n, values] of the accelerator's genes."""
        logits: Tensor = self._generator(torch.cat([self._networks.features(network), weights], dim=1))
        return logits

    def _estimated(self, network: Tensor, accelerator: Tensor) -> Tensor:
        """[n, objectives and violation], standardised."""
        x = torch.cat([self._networks.features(network), self._accelerators.features(accelerator)], dim=1)
        return self._estimator.standardised(x).mean(dim=0)
