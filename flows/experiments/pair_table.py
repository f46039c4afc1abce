"""Every pair of some networks and some accelerators with its modelled cost, kept on disk by accelerator."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from flows.accelerators import config_from_values, config_values
from flows.line_log import LineFormat, LineLog
from flows.pairs.evaluation import ENERGY_TABLE
from hwgen.config import AcceleratorConfig
from hwgen.cost_table import CostTable, Neighbours
from hwgen.errors import InputError
from hwgen.graph import LayerGraph
from nas.outline import outline
from nas.spaces import Space

NEIGHBOURS = Neighbours(before=1, after=0)
"""Layers that a layer's cycles are modelled with: one, so that there are few different windows over a whole space."""
ENERGY_DIGITS = 6

Line = tuple[str, AcceleratorConfig, tuple[np.ndarray, np.ndarray, float]]
"""Which networks, an accelerator, their cycles and energies [networks] on it, and the CPU seconds that it took."""


@dataclass(frozen=True, eq=False)
class PairTable:
    """The cost of every pair by the cost model, composed of layers in windows of ``NEIGHBOURS``."""

    architectures: tuple[str, ...]
    accelerators: tuple[AcceleratorConfig, ...]
    cycles: np.ndarray
    """float64 [accelerators, networks]: infinite where the accelerator cannot run the network."""
    energy_uj: np.ndarray
    """float64 [accelerators, networks]: by ``ENERGY_TABLE``; infinite there too."""
    cpu_seconds: float
    """What making it took, whenever that was."""


def pair_table(
    path: Path,
    space: Space,
    architectures: Sequence[str],
    accelerators: Sequence[AcceleratorConfig],
    on_progress: Callable[[int], None],
) -> PairTable:
    """The table of ``architectures`` x ``accelerators``; what ``path`` has of it from earlier is not made again.

    ``on_progress`` is told how many accelerators are done as another is. Raises InputError where ``path`` is of other
    networks, is damaged, or another process appends to it.
    """
    log = LineLog(path, LINES)
    try:
        known: dict[AcceleratorConfig, tuple[np.ndarray, np.ndarray, float]] = {}
        networks = _digest(space, architectures)
        for digest, config, costs in log.found:
            if digest != networks:
                raise InputError(f"costs: {path} is of other networks; delete the file")
            known[config] = costs
        began = time.process_time()
        graphs: list[LayerGraph] = []
        table = CostTable(neighbours=NEIGHBOURS)
        for config in accelerators:
            if config in known:
                continue
            graphs = graphs or [outline(space, architecture) for architecture in architectures]
            cycles, energies = _costs(table, graphs, config)
            began, seconds = time.process_time(), time.process_time() - began
            known[config] = cycles, energies, seconds
            log.append(
                {
                    "networks": networks,
                    "accelerator": config_values(config),
                    "cycles": _values(cycles, 0),
                    "energy_uj": _values(energies, ENERGY_DIGITS),
                    "cpu_seconds": round(seconds, 2),
                }
            )
            on_progress(len(known))
    finally:
        log.close()
    rows = [known[config] for config in accelerators]
    return PairTable(
        tuple(architectures),
        tuple(accelerators),
        np.array([cycles for cycles, _, _ in rows]),
        np.array([energies for _, energies, _ in rows]),
        sum(seconds for _, _, seconds in rows),
    )


def _costs(table: CostTable, graphs: Sequence[LayerGraph], config: AcceleratorConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cycles and energies [networks]."""
    costs = [table.costs(graph, [config]) for graph in graphs]
    cycles = np.array([cost.cycles[0] for cost in costs])
    energies = np.array([cost.energy_uj(ENERGY_TABLE)[0] for cost in costs])
    return cycles, energies.round(ENERGY_DIGITS)


def _digest(space: Space, architectures: Sequence[str]) -> str:
    return sha256("\n".join([repr(space), *architectures]).encode()).hexdigest()[:16]


def _values(costs: np.ndarray, digits: int) -> list[float | None]:
    """JSON has no infinity."""
    return [round(cost, digits) if np.isfinite(cost) else None for cost in costs.tolist()]


def _array(values: list[float | None]) -> np.ndarray:
    return np.array([inf if value is None else value for value in values])


def _line(values: dict[str, Any]) -> Line:
    costs = _array(values["cycles"]), _array(values["energy_uj"]), values["cpu_seconds"]
    return values["networks"], config_from_values(values["accelerator"]), costs


LINES = LineFormat(
    read=_line,
    damaged="costs: {line}; delete the file",
    busy="output: another experiment is writing {path}",
)
