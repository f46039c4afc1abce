"""An accuracy, and how it is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AccuracyTier(StrEnum):
    """How an accuracy is known, from the benchmark's table to the network that is deployed."""

    NOT_ASKED = "not_asked"
    """Not known: the pair's hardware was turned away first. The value is 0."""
    TABULAR = "tabular"
    """Read from a published table of trained networks."""
    ZERO_COST = "zero-cost"
    """A score of the untrained network that ranks; it is no fraction of images."""
    SUPERNET = "supernet"
    """Measured with weights shared with all other architectures."""
    TRAINED = "trained"
    """Measured after training from scratch or fine-tuning, in floating point."""
    TRAINED_QUANTISED = "trained-int8"
    """Measured on the trained int8 network, bit for bit as the accelerator computes."""


@dataclass(frozen=True)
class Accuracy:
    """A fraction of images classified correctly (a score where the tier is zero-cost), and where it came from."""

    value: float
    tier: AccuracyTier
    provenance: str
