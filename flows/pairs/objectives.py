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
        given, accepted = self.beside_accuracy, [metric for metric in METRICS if metric != ACCURACY]
        if not given or len(set(given)) < len(given) or set(given) - set(accepted):
            raise InputError(
                f"objective: {', '.join(given) or 'none'} cannot stand beside accuracy, which always is an objective; "
                f"accepted: one or more of {', '.join(accepted)}, each once"
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
