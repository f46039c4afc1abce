"""A recurrent controller trained with REINFORCE over network and accelerator tokens.

Zoph and Le (ICLR 2017) for the controller, Jiang et al. (FNAS, DAC 2019) for its reward of networks that miss a bound
and are never trained, Abdelfattah et al. (Codesign-NAS, DAC 2020) for one controller of network and accelerator whose
reward weighs normalised objectives under hard constraints. Here the weights are drawn anew for each proposal and the
controller is told them, so that it learns the whole front instead of one point of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from nas.strategies.base import Genes, Outcome, Problem, Strategy

BATCH = 8
HIDDEN = 48
LEARNING_RATE = 0.02
ENTROPY = 0.02
BASELINE_DECAY = 0.8
MISSED = -1.0
"""Reward of missing a constraint by nothing; those that are met are rewarded by 0 to 1."""


class Controller(nn.Module):
    """An LSTM that emits one token per gene; its first input is the weights of the objectives."""

    def __init__(self, sizes: tuple[int, ...], objectives: int) -> None:
        super().__init__()
        self._first = nn.Linear(objectives, HIDDEN)
        self._embeddings = nn.ModuleList(nn.Embedding(size, HIDDEN) for size in sizes)
        self._cell = nn.LSTMCell(HIDDEN, HIDDEN)
        self._heads = nn.ModuleList(nn.Linear(HIDDEN, size) for size in sizes)

    def forward(self, weights: Tensor, choose: Callable[[int, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Log-probability of the tokens and entropy, both [n], under ``weights`` [n, objectives].

        ``choose`` gives the tokens [n] at a position from their log-probabilities [n, size].
        """
        x, state = self._first(weights), None
        total, entropy = torch.zeros(len(weights)), torch.zeros(len(weights))
        for position, (head, embedding) in enumerate(zip(self._heads, self._embeddings, strict=True)):
            state = self._cell(x, state)
            log_probabilities = log_softmax(head(state[0]), dim=1)
            tokens = choose(position, log_probabilities)
            total = total + log_probabilities.gather(1, tokens[:, None])[:, 0]
            entropy = entropy - (log_probabilities.exp() * log_probabilities).sum(1)
            x = embedding(tokens)
        return total, entropy


class Reinforce(Strategy):
    """The controller learns from each batch of outcomes, once."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._controller = Controller(problem.gene_sizes, problem.objectives)
        self._optimiser = torch.optim.Adam(self._controller.parameters(), LEARNING_RATE)
        self._weights: dict[Genes, np.ndarray] = {}
        self._rewarded: set[Genes] = set()
        self._baseline: float | None = None

    @property
    def batch(self) -> int:
        return BATCH

    def _propose(self) -> Genes:
        weights = self._rng.dirichlet(np.ones(self.problem.objectives))
        genes = self._new(lambda: self._sample(weights))
        self._weights.setdefault(genes, weights)
        return genes

    def _sample(self, weights: np.ndarray) -> Genes:
        genes: list[int] = []

        def draw(_position: int, log_probabilities: Tensor) -> Tensor:
            noise = self._rng.gumbel(size=log_probabilities.shape[1])
            genes.append(int(np.argmax(log_probabilities[0].numpy() + noise)))
            return torch.tensor(genes[-1:])

        with torch.no_grad():
            self._controller(torch.tensor(weights, dtype=torch.float32)[None], draw)
        return tuple(genes)

    def _learn(self) -> None:
        outcomes = self._outcomes
        waiting = [outcome for outcome in outcomes if outcome.genes not in self._rewarded]
        if len(waiting) < BATCH:
            return
        self._rewarded.update(outcome.genes for outcome in waiting)
        rewards = self._rewards(waiting, [o.objectives for o in outcomes if o.feasible and o.objectives is not None])
        if self._baseline is None:
            self._baseline = float(rewards.mean())
        advantages = torch.tensor(rewards - self._baseline, dtype=torch.float32)
        self._baseline = BASELINE_DECAY * self._baseline + (1 - BASELINE_DECAY) * float(rewards.mean())
        genes = torch.tensor([outcome.genes for outcome in waiting])
        weights = torch.tensor(np.array([self._weights[o.genes] for o in waiting]), dtype=torch.float32)
        log_probability, entropy = self._controller(weights, lambda position, _: genes[:, position])
        loss = -(advantages * log_probability + ENTROPY * entropy).mean()
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()

    def _rewards(self, outcomes: list[Outcome], known: list[tuple[float, ...]]) -> np.ndarray:
        """float64 [n]: 0 to 1 by rank in each objective among all ``known`` ones; less where a constraint is missed."""
        ranked = np.sort(np.array(known).reshape(-1, self.problem.objectives), axis=0)

        def reward(outcome: Outcome) -> float:
            if not outcome.feasible:
                return MISSED - min(outcome.violation, 1.0)
            scores = [
                1 - np.searchsorted(column, value) / len(column)
                for column, value in zip(ranked.T, outcome.objectives or (), strict=True)
            ]
            return float(self._weights[outcome.genes] @ scores)

        return np.array([reward(outcome) for outcome in outcomes])
