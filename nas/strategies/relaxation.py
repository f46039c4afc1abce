"""Genes relaxed to distributions over their values, for gradients to reach them: Gumbel softmax (Jang et al., 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from nas.strategies.base import Problem


class Relaxation:
    """Some genes of a problem: distributions of theirs stand side by side, [n, values], the genes' values in turn."""

    def __init__(self, problem: Problem, genes: range) -> None:
        self._sizes = [problem.gene_sizes[gene] for gene in genes]
        self._ordered = [problem.ordered[gene] for gene in genes]
        self.values = sum(self._sizes)

    def features(self, distributions: Tensor) -> Tensor:
        """What ``Ensemble`` reads: the distributions of unordered genes, and the mean place of ordered ones."""
        columns = [
            part @ torch.linspace(-1, 1, size)[:, None] if ordered else part
            for part, size, ordered in self._parts(distributions)
        ]
        return torch.cat([distributions[:, :0], *columns], dim=1)

    def certain(self, genes: np.ndarray) -> Tensor:
        """The distributions of ``genes`` int64 [n, genes] that are known."""
        columns = [one_hot(torch.tensor(column), size) for column, size in zip(genes.T, self._sizes, strict=True)]
        return torch.cat(columns, dim=1).float() if columns else torch.zeros((len(genes), 0))

    def draw(self, logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
        """Certain distributions drawn from ``logits`` [n, values]; their gradients are those of softened ones.

        The straight-through estimator: the higher the temperature, the softer.
        """
        noisy = logits + gumbel(logits.shape, generator)
        parts = [torch.softmax(part / temperature, dim=1) for part, _, _ in self._parts(noisy)]
        soft = torch.cat([noisy[:, :0], *parts], dim=1)
        return self.certain(self.harden(noisy)) - soft.detach() + soft

    def log_likelihood(self, logits: Tensor, genes: np.ndarray) -> Tensor:
        """[n]: of ``genes`` int64 [n, genes] under the distributions of ``logits`` [n, values]."""
        parts = [torch.log_softmax(part, dim=1) for part, _, _ in self._parts(logits)]
        return (torch.cat([logits[:, :0], *parts], dim=1) * self.certain(genes)).sum(dim=1)

    def harden(self, logits: Tensor) -> np.ndarray:
        """int64 [n, genes]: the likeliest values."""
        columns = [part.argmax(dim=1).numpy() for part, _, _ in self._parts(logits)]
        return np.array(columns, np.int64).reshape(len(columns), len(logits)).T

    def _parts(self, values: Tensor) -> list[tuple[Tensor, int, bool]]:
        """Of each gene its columns [n, size], its size, and whether it is ordered."""
        parts: Sequence[Tensor] = values.split(self._sizes, dim=1) if self._sizes else ()
        return list(zip(parts, self._sizes, self._ordered, strict=True))


def gumbel(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """float32 of ``shape``: standard Gumbel noise."""
    uniform = torch.rand(tuple(shape), generator=generator).clamp(1e-9, 1 - 1e-7)
    return -(-uniform.log()).log()
