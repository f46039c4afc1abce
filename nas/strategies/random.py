"""Random search: every strategy's baseline (Bergstra and Bengio, JMLR 2012)."""

from __future__ import annotations

from nas.strategies.base import Genes, Strategy


class RandomSearch(Strategy):
    """Draws genes uniformly, whatever it is told."""

    def _propose(self) -> Genes:
        return self._new(self._uniform)
