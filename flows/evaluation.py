"""What the search knows about a pair: its objectives, and the tier that each number comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp, log
from typing import Protocol

from hwgen.area import lut_equivalents
from hwgen.config import AcceleratorConfig
from nas.accuracy import Accuracy, AccuracyTier


class Tier(StrEnum):
    """Where a pair's cycles come from."""

    MODELLED = "modelled"
    """``hwgen.cycles``, uncorrected."""
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
    accuracy_tier: AccuracyTier
    accuracy_provenance: str
    """What the accuracy was measured on, and how."""

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

    def accuracy(self, architecture: str) -> Accuracy:
        """Fraction of images classified correctly, and which images."""

    def modelled_cycles(self, pair: Pair) -> int | None:
        """By the cycle model; None where the accelerator cannot run the network."""

    def measured_cycles(self, pair: Pair) -> int | None:
        """Cycles of one inference in RTL simulation; None where the accelerator cannot run the network."""


def corrected(modelled: Mapping[Pair, Evaluation], measured: Mapping[Pair, Evaluation]) -> dict[Pair, Evaluation]:
    """``modelled`` with cycles scaled by what was measured over modelled.

    The factor is the accelerator's own, or the mean of all accelerators' for one that was not measured yet. Every
    measured pair is modelled as well.
    """
    ratios: dict[AcceleratorConfig, list[float]] = {}
    for pair, evaluation in measured.items():
        estimate = modelled[pair].cycles
        if evaluation.cycles is not None and estimate is not None:
            ratios.setdefault(pair.accelerator, []).append(evaluation.cycles / estimate)
    factors = {accelerator: _geometric_mean(values) for accelerator, values in ratios.items()}
    usual = _geometric_mean(factors.values())
    return {
        pair: replace(evaluation, cycles=evaluation.cycles * factors.get(pair.accelerator, usual))
        for pair, evaluation in modelled.items()
        if evaluation.cycles is not None
    }


def _geometric_mean(values: Iterable[float]) -> float:
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs)) if logs else 1.0
