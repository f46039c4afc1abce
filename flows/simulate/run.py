"""A network run on an accelerator, in simulation or on a board, beside what it should have computed and taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.accelerators import config_values
from hwgen.config import AcceleratorConfig
from hwgen.cycles import Prediction
from hwgen.energy import ENERGY_TABLES, energy_uj
from hwgen.graph import LayerGraph
from sim.execution import Execution


class MismatchError(RuntimeError):
    """The accelerator and the reference disagree."""


@dataclass(frozen=True, eq=False)
class Run:
    """A network that an accelerator ran, and what was to be expected."""

    graph: LayerGraph
    config: AcceleratorConfig
    execution: Execution
    prediction: Prediction
    """Of the cycle model, for the memory that the accelerator had."""
    predicted_actions: Mapping[str, int]
    """By the program's instructions."""
    expected: np.ndarray
    """int8 [N, h, w, c], from the reference."""

    @property
    def mismatches(self) -> int:
        """Output bytes that differ from the reference."""
        return int((self.execution.outputs != self.expected).sum())


def refuse_mismatches(run: Run) -> None:
    """MismatchError where an output byte differs from the reference's."""
    if run.mismatches:
        raise MismatchError(f"{run.mismatches} of {run.expected.size} output bytes differ from the reference")


def run_values(run: Run) -> dict[str, Any]:
    """The report as JSON values. Cycles, counters and energy are the first sample's, as the accelerator counted them;
    predicted ones are the models'."""
    config, counters, macs = run.config, run.execution.counters, run.graph.total_macs
    return {
        "network": run.graph.name,
        "accelerator": config_values(config),
        "samples": len(run.expected),
        "bit_exact": run.mismatches == 0,
        "cycles": run.execution.cycles,
        "predicted_cycles": run.prediction.cycles,
        "macs": macs,
        "peak_macs_per_cycle": config.multipliers,
        "utilization": utilisation(macs, run.execution.cycles, config),
        "dram_read_bytes": counters["dram_read_beats"] * config.bus_bytes,
        "dram_write_bytes": counters["dram_write_beats"] * config.bus_bytes,
        "counters": counters,
        "energy_uj": _energies(counters, config),
        "predicted_energy_uj": _energies(run.predicted_actions, config),
        "memory": {"bus_bits": config.bus_bits, "latency_cycles": run.execution.memory.latency_cycles},
    }


def _energies(counters: Mapping[str, int], config: AcceleratorConfig) -> dict[str, float]:
    """By table."""
    return {table.name: energy_uj(counters, config, table) for table in ENERGY_TABLES}


def utilisation(macs: int, cycles: int, config: AcceleratorConfig) -> float:
    """Fraction of the array's peak."""
    return macs / (cycles * config.multipliers) if cycles else 0.0
