"""Pairs' modelled costs, each found once and kept on disk with what it took to find it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.accelerators import config_from_values, config_values
from flows.evaluation import Cost, Pair
from flows.line_log import LineFormat, LineLog

Known = tuple[Pair, Cost | None, float]
"""A pair, its modelled cost, None where it cannot run, and the CPU seconds that it took to find."""


def _known(values: dict[str, Any]) -> Known:
    cost = None if values["cycles"] is None else Cost(values["cycles"], values["energy_uj"])
    return Pair(values["architecture"], config_from_values(values["accelerator"])), cost, values["cpu_seconds"]


COST_LINES = LineFormat(
    read=_known,
    damaged="oracle: {line}; delete the file",
    busy="output: another experiment is writing {path}",
)


class CostLog:
    """Answers from ``path`` where a pair's cost was found before, by whatever run, and else from ``modelled_cost``.

    Raises InputError where another process appends to ``path``, or a line of it is damaged.
    """

    def __init__(self, path: Path, modelled_cost: Callable[[Pair], Cost | None]) -> None:
        self._modelled_cost = modelled_cost
        self._log = LineLog(path, COST_LINES)
        self._costs = {pair: (cost, seconds) for pair, cost, seconds in self._log.found}

    def __len__(self) -> int:
        return len(self._costs)

    def cpu_seconds(self, pair: Pair) -> float:
        """What it took to find the pair's cost when it was found."""
        return self._costs[pair][1]

    def cost(self, pair: Pair) -> Cost | None:
        """The pair's modelled cost; None where it cannot run."""
        if pair not in self._costs:
            began = time.process_time()
            cost = self._modelled_cost(pair)
            seconds = time.process_time() - began
            self._costs[pair] = cost, seconds
            self._log.append(
                {
                    "architecture": pair.architecture,
                    "accelerator": config_values(pair.accelerator),
                    "cycles": None if cost is None else cost.cycles,
                    "energy_uj": None if cost is None else cost.energy_uj,
                    "cpu_seconds": round(seconds, 4),
                }
            )
        return self._costs[pair][0]

    def close(self) -> None:
        """Let another process append."""
        self._log.close()
