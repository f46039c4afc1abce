"""A cost-estimation network, trained beforehand on costs alone and then frozen (DANCE; Choi et al., DAC 2021).

Here it has the structure that costs have: a network costs the sum of what each choice that it executes costs, and the
accelerator sets these prices, which a small network of its genes learns. So hundreds of networks are enough to learn
from, where a plain network of all genes needs thousands. It is differentiable in both, relaxed or not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from nas.strategies.base import Problem
from nas.strategies.relaxation import Relaxation

HIDDEN = 64
STEPS = 3000
"""Of AdamW, with a learning rate that rises to RATE and falls."""
BATCH = 512
RATE = 5e-3
WEIGHT_DECAY = 1e-3

Executed = Callable[[Tensor], Tensor]
"""Of distributions [n, values] of a network's genes, how much of each choice is executed [n, choices], 0 to 1."""


class CostNetwork(nn.Module):
    """Estimates of ``metrics`` costs as logarithms: of networks that ``executed`` reads, on accelerators."""

    _level: Tensor

    def __init__(self, problem: Problem, executed: Executed, metrics: int) -> None:
        super().__init__()
        self._split = problem.network_genes
        self._networks = Relaxation(problem, range(self._split))
        self._accelerators = Relaxation(problem, range(self._split, len(problem.gene_sizes)))
        self.executed = executed
        self._metrics = metrics
        self._choices = executed(torch.zeros((1, self._networks.values))).shape[1]
        self._prices = nn.Sequential(
            nn.Linear(self._accelerators.values, HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, metrics * (self._choices + 1)),
        )
        self.register_buffer("_level", torch.zeros(metrics))

    def forward(self, network: Tensor, accelerator: Tensor) -> Tensor:
        """float32 [n, metrics] of distributions [n, values] of the network's and of the accelerator's genes."""
        prices = self._prices(accelerator).view(len(accelerator), self._metrics, self._choices + 1)
        amounts = torch.cat([torch.ones((len(network), 1)), self.executed(network)], dim=1)
        logarithms = torch.logsumexp(prices + amounts.clamp_min(1e-9).log()[:, None], dim=2)
        return logarithms + self._level

    def estimate(self, genes: np.ndarray) -> np.ndarray:
        """float64 [n, metrics] of ``genes`` int64 [n, genes]."""
        with torch.no_grad():
            found: Tensor = self(*self._certain(genes))
        return found.double().numpy()

    def learn(self, genes: np.ndarray, logarithms: np.ndarray, seed: int) -> None:
        """Train on ``genes`` int64 [n, genes] that cost ``logarithms`` float64 [n, metrics], and freeze."""
        values = torch.tensor(logarithms, dtype=torch.float32)
        network, accelerator = self._certain(genes)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self._level.copy_(values.mean(dim=0) - np.log(self._choices + 1))
            for parameter in self._prices.parameters():
                bound = parameter.shape[-1] ** -0.5
                parameter.uniform_(-bound, bound, generator=generator)
        optimiser = torch.optim.AdamW(self._prices.parameters(), RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
        for _ in range(STEPS):
            rows = torch.randint(len(values), (BATCH,), generator=generator)
            loss = (self(network[rows], accelerator[rows]) - values[rows]).abs().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        self.requires_grad_(False)

    def _certain(self, genes: np.ndarray) -> tuple[Tensor, Tensor]:
        return self._networks.certain(genes[:, : self._split]), self._accelerators.certain(genes[:, self._split :])
