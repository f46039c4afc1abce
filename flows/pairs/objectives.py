"""Objectives: the metrics that pairs are compared by. Accuracy is always one; a search chooses the others."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from flows.pairs.constraints import METRICS
from flows.pairs.evaluation import Evaluation
from hwgen.errors import InputError

ACCURACY = "accuracy"
MAXIMISED = (ACCURACY, "gmac_per_s")
"""The others are minimised."""
BESIDE_ACCURACY = ("cycles", "lut_equivalents")
"""What a search minimises where nothing else is asked for."""


@dataclass(frozen=True)
class Objectives:
    """What pairs are compared by, in order of importance; InputError where a metric is not accepted."""

    clock_mhz: float
    """At which latencies and rates are stated."""
    beside_accuracy: tuple[str, ...] = BESIDE_ACCURACY

    def __post_init__(self) -> None:
        accepted = [metric for metric in METRICS if metric != ACCURACY]
        for metric in self.beside_accuracy:
            if metric not in accepted or self.beside_accuracy.count(metric) > 1:
                raise InputError(
                    f"objective: {metric} is given twice, or is no metric beside accuracy, which always is an "
                    f"objective; accepted: one or more of {', '.join(accepted)}"
                )
        if not self.beside_accuracy:
            raise InputError(
                f"objective: there is none beside accuracy; accepted: one or more of {', '.join(accepted)}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, accuracy first."""
        return (ACCURACY, *self.beside_accuracy)

    def vector(self, evaluation: Evaluation) -> tuple[float, ...]:
        """Of ``evaluation``, each to be minimised."""
        metrics = evaluation.metrics(self.clock_mhz)
        return tuple(-metrics[name] if name in MAXIMISED else metrics[name] for name in self.names)

    def proportional(self, evaluation: Evaluation) -> tuple[float, ...]:
        """Of an ``evaluation`` that can run, all but accuracy as logarithms: what strategies compare by differences.

        Twice the cycles are as much worse at one end of the front as at the other.
        """
        accuracy, *others = self.vector(evaluation)
        return (accuracy, *(log(value) if value > 0 else -log(-value) for value in others))
