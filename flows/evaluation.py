"""What the search knows about a pair: its objectives, and the tier that each number comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import exp, log
from typing import Protocol

from hwgen.config import AcceleratorConfig
from hwgen.estimate import lut_equivalents


class Tier(StrEnum):
    """Where a pair's cycles come from."""

    MODELLED = "modelled"
    """``hwgen.estimate``, uncorrected."""
    MEASURED = "measured in RTL"
    """Simulation of the generated Verilog."""


@dataclass(frozen=True)
class Pair:
    """A network of the space and an accelerator: the unit of the search."""

    architecture: str
    accelerator: AcceleratorConfig


@dataclass(frozen=True)
class Evaluation:
    """A pair's accuracy and cycles, with their tiers."""

    pair: Pair
    tier: Tier
    cycles: float | None
    """Per inference; None where the accelerator cannot run the network."""
    accuracy: float
    accuracy_tier: str

    def metrics(self, clock_mhz: float) -> dict[str, float]:
        """The values that constraints and objectives refer to; infinite cycles for a pair that cannot run."""
        cycles = float("inf") if self.cycles is None else self.cycles
        return {
            "accuracy": self.accuracy,
            "cycles": cycles,
            "latency_ms": cycles / (clock_mhz * 1000),
            "multipliers": self.pair.accelerator.multipliers,
            "lut_equivalents": lut_equivalents(self.pair.accelerator),
        }


class Evaluator(Protocol):
    """How a pair is evaluated; the search asks for nothing else."""

    accuracy_tier: str
    """The tier of ``accuracy``, such as ``supernet``."""

    def accuracy(self, architecture: str) -> float:
        """Fraction of validation images classified correctly."""

    def modelled_cycles(self, pair: Pair) -> int | None:
        """A quick estimate; None where the accelerator cannot run the network."""

    def measured_cycles(self, pair: Pair) -> int | None:
        """Cycles of one inference in RTL simulation; None where the accelerator cannot run the network."""


class Calibration:
    """Corrects modelled cycles by what was measured: a factor per accelerator, or the mean factor for a new one."""

    def __init__(self, modelled: Mapping[Pair, float], measured: Mapping[Pair, float]) -> None:
        ratios: dict[AcceleratorConfig, list[float]] = {}
        for pair, cycles in measured.items():
            ratios.setdefault(pair.accelerator, []).append(cycles / modelled[pair])
        self._factors = {accelerator: _geometric_mean(values) for accelerator, values in ratios.items()}
        self._default = _geometric_mean(self._factors.values())

    def factor(self, accelerator: AcceleratorConfig) -> float:
        """Measured over modelled cycles expected on ``accelerator``."""
        return self._factors.get(accelerator, self._default)


def _geometric_mean(values: Iterable[float]) -> float:
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs)) if logs else 1.0
