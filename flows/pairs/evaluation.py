"""What the search knows about a pair: its objectives, and the tier that each number comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import exp, inf, log
from typing import Protocol

from flows.characterisation.shares import device_shares
from flows.stopwatch import Spent
from hwgen.area import lut_equivalents
from hwgen.config import AcceleratorConfig
from hwgen.energy import EYERISS_65NM
from nas.accuracy import Accuracy, AccuracyTier

ENERGY_TABLE = EYERISS_65NM
"""What a search takes actions to cost."""


class Tier(StrEnum):
    """How far up the ladder a pair was evaluated."""

    SCREENED = "screened"
    """As modelled, but with a cheaper score in the place of the accuracy."""
    MODELLED = "modelled"
    """Cycles and actions of ``hwgen.cost_table``, uncorrected."""
    MEASURED = "measured"
    """Simulation of the generated Verilog, or a board."""


@dataclass(frozen=True)
class Pair:
    """A network of the space and an accelerator: the unit of the search."""

    architecture: str
    accelerator: AcceleratorConfig


@dataclass(frozen=True)
class Cost:
    """What an inference costs."""

    cycles: float
    energy_uj: float | None
    """Dynamic energy of its actions by ``ENERGY_TABLE``, an estimate; None in runs from before it was kept."""


@dataclass(frozen=True)
class OnChip:
    """What an accelerator comes to on the device that pairs are to fit."""

    clock_mhz: float | None
    """That it runs at; None where none was placed and routed, and the search's clock holds."""
    share_metric: str
    """The constraints' name of ``share``."""
    share: float
    """Of the device's scarcest resource; infinite where it cannot be implemented."""


@dataclass(frozen=True)
class Evaluation:
    """A pair's accuracy and cost, with their tiers."""

    pair: Pair
    tier: Tier
    cost: Cost | None
    """None where the accelerator cannot run the network."""
    accuracy: float
    accuracy_tier: AccuracyTier
    accuracy_provenance: str
    """What the accuracy was measured on, and how."""
    macs: int | None = None
    """Multiply-accumulates of the network (``LayerGraph.total_macs``); None in runs from before they were kept."""
    spent: Spent | None = field(default=None, compare=False)
    """On this evaluation, not on those of lower tiers; None in runs from before it was kept."""
    on_chip: OnChip | None = None
    """Of its accelerator, found or corrected by what was found of others; None where only the models speak."""

    @property
    def cycles_tier(self) -> Tier:
        """Where cycles and actions come from."""
        return Tier.MEASURED if self.tier is Tier.MEASURED else Tier.MODELLED

    @property
    def cycles(self) -> float | None:
        """Per inference; None where the accelerator cannot run the network."""
        return None if self.cost is None else self.cost.cycles

    @property
    def energy_uj(self) -> float | None:
        """Per inference; None there too, and in runs from before it was kept."""
        return None if self.cost is None else self.cost.energy_uj

    def clock_mhz(self, assumed_mhz: float) -> float:
        """That its accelerator runs at, ``assumed_mhz`` where none is known."""
        return assumed_mhz if self.on_chip is None or self.on_chip.clock_mhz is None else self.on_chip.clock_mhz

    def gmac_per_s(self, assumed_mhz: float) -> float | None:
        """1e9 MACs per second at its clock, padding counted; None where cycles or MACs are."""
        if self.cycles is None or self.macs is None:
            return None
        return self.macs / self.cycles * self.clock_mhz(assumed_mhz) / 1000

    @property
    def accuracy_text(self) -> str:
        """The accuracy for people: a percentage, or a bare score."""
        return f"{self.accuracy:.4g}" if self.accuracy_tier is AccuracyTier.ZERO_COST else f"{self.accuracy:.2%}"

    def metrics(self, assumed_mhz: float) -> dict[str, float]:
        """The values that constraints and objectives refer to; a cost that is None is infinite, a rate 0.

        Latency and rate are at its clock, ``assumed_mhz`` where none is known.
        """
        cycles = inf if self.cycles is None else self.cycles
        found_shares = {} if self.on_chip is None else {self.on_chip.share_metric: self.on_chip.share}
        return {
            "accuracy": self.accuracy,
            "cycles": cycles,
            "latency_ms": cycles / (self.clock_mhz(assumed_mhz) * 1000),
            "gmac_per_s": self.gmac_per_s(assumed_mhz) or 0.0,
            "energy_uj": inf if self.energy_uj is None else self.energy_uj,
            "multipliers": self.pair.accelerator.multipliers,
            "lut_equivalents": lut_equivalents(self.pair.accelerator),
            **device_shares(self.pair.accelerator),
            **found_shares,
        }


class Evaluator(Protocol):
    """How a pair is evaluated; the search asks for nothing else."""

    def accuracy(self, architecture: str) -> Accuracy:
        """Fraction of images classified correctly, and which images."""

    def macs(self, architecture: str) -> int:
        """Multiply-accumulates of an inference, whatever the accelerator."""

    def modelled_cost(self, pair: Pair) -> Cost | None:
        """By the cost model; None where the accelerator cannot run the network."""

    def measured_cost(self, pair: Pair) -> Cost | None:
        """Of one inference in RTL simulation; None where the accelerator cannot run the network."""


@dataclass(frozen=True)
class Correction:
    """What modelled cycles are scaled by: measured over modelled ones, by accelerator.

    Energy needs no correction: the model counts what the RTL counts.
    """

    factors: Mapping[AcceleratorConfig, float]
    usual: float
    """Of an accelerator that was not measured yet: the mean of all others'."""

    def __call__(self, evaluation: Evaluation) -> Evaluation:
        """``evaluation``, which is modelled, with its cycles corrected."""
        if evaluation.cost is None:
            return evaluation
        factor = self.factors.get(evaluation.pair.accelerator, self.usual)
        return replace(evaluation, cost=replace(evaluation.cost, cycles=evaluation.cost.cycles * factor))


def correction(modelled: Mapping[Pair, Evaluation], measured: Mapping[Pair, Evaluation]) -> Correction:
    """What was learnt from ``measured``; every measured pair is modelled as well."""
    ratios: dict[AcceleratorConfig, list[float]] = {}
    for pair, evaluation in measured.items():
        estimate = modelled[pair].cycles
        if evaluation.cycles is not None and estimate is not None:
            ratios.setdefault(pair.accelerator, []).append(evaluation.cycles / estimate)
    factors = {accelerator: _geometric_mean(values) for accelerator, values in ratios.items()}
    return Correction(factors, _geometric_mean(factors.values()))


def _geometric_mean(values: Iterable[float]) -> float:
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs)) if logs else 1.0
