"""Pairs' costs, each found once and kept on disk with what it took to find it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.accelerators import config_from_values, config_values
from flows.line_log import LineFormat, LineLog
from flows.pairs.evaluation import Cost, Pair
from flows.stopwatch import Stopwatch

Known = tuple[Pair, Cost | None, float]
"""A pair, its cost, None where it cannot run, and the CPU seconds that it took to find."""


def _known(values: dict[str, Any]) -> Known:
    cost = None if values["cycles"] is None else Cost(values["cycles"], values["energy_uj"])
    return Pair(values["architecture"], config_from_values(values["accelerator"])), cost, values["cpu_seconds"]


COST_LINES = LineFormat(
    read=_known,
    damaged="oracle: {line}; delete the file",
    busy="output: another experiment is writing {path}",
)


class CostLog:
    """Answers from ``path`` where a pair's cost was found before, by whatever run, and else from ``find``.

    Raises InputError where another process appends to ``path``, or a line of it is damaged.
    """

    def __init__(self, path: Path, find: Callable[[Pair], Cost | None]) -> None:
        self._find = find
        self._log = LineLog(path, COST_LINES)
        self._costs = {pair: (cost, seconds) for pair, cost, seconds in self._log.found}

    def __len__(self) -> int:
        return len(self._costs)

    @property
    def cpu_seconds(self) -> float:
        """What it took to find all costs, each when it was found."""
        return sum(seconds for _, seconds in self._costs.values())

    def cost(self, pair: Pair) -> Cost | None:
        """The pair's; None where it cannot run."""
        if pair not in self._costs:
            watch = Stopwatch()
            cost = self._find(pair)
            seconds = watch.read().cpu_seconds
            self._costs[pair] = cost, seconds
            self._log.append(
                {
                    "architecture": pair.architecture,
                    "accelerator": config_values(pair.accelerator),
                    "cycles": None if cost is None else cost.cycles,
                    "energy_uj": None if cost is None else cost.energy_uj,
                    "cpu_seconds": seconds,
                }
            )
        return self._costs[pair][0]

    def close(self) -> None:
        """Let another process append."""
        self._log.close()
