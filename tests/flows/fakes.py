"""Stand-ins that make a search quick: a toy space, and an evaluator with closed-form accuracy and costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flows.pairs.evaluation import Cost, Pair
from nas.accuracy import Accuracy, AccuracyTier


class ToySpace:
    """Three digits of 0 to 4; all zeros is no network."""

    choices = (5, 5, 5)

    def is_legal(self, genotype: Sequence[int]) -> bool:
        return any(genotype)

    def decode(self, genotype: Sequence[int]) -> str:
        return "".join(str(gene) for gene in genotype)

    def encode(self, architecture: str) -> tuple[int, ...]:
        return tuple(int(digit) for digit in architecture)


@dataclass(frozen=True)
class ToyScreen:
    """A score in the order of the accuracy, mostly."""

    tier: AccuracyTier

    def accuracy(self, architecture: str) -> Accuracy:
        return Accuracy(float(sum(int(digit) for digit in architecture)), self.tier, "toy score")


class ToyEvaluator:
    """Accuracy and work grow with the digits; real cycles are the modelled ones times a factor of the accelerator."""

    def __init__(self) -> None:
        self.measured: list[Pair] = []
        self.accuracies: list[str] = []

    def accuracy(self, architecture: str) -> Accuracy:
        self.accuracies.append(architecture)
        value = 0.5 + sum(int(digit) ** 0.5 for digit in architecture) / 15
        return Accuracy(value, AccuracyTier.TABULAR, f"toy test of {architecture}")

    def macs(self, architecture: str) -> int:
        return sum(10_000 * (1 + int(digit)) for digit in architecture)

    def modelled_cost(self, pair: Pair) -> Cost:
        work = self.macs(pair.architecture)
        cycles = work // pair.accelerator.multipliers + work // pair.accelerator.bus_bytes
        return Cost(cycles, work / 1000 + pair.accelerator.multipliers)

    def measured_cost(self, pair: Pair) -> Cost | None:
        self.measured.append(pair)
        if pair.accelerator.act_buffer_kib == 4 and pair.architecture.startswith("4"):
            return None
        cost = self.modelled_cost(pair)
        return Cost(cost.cycles * (20 + pair.accelerator.rf_depth) // 16, cost.energy_uj)
