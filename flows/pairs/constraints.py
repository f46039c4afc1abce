"""Constraints that a user puts on a pair, such as ``latency_ms<=5``, ``accuracy>=0.95`` or ``fits=ecp5-85k``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from flows.implement.ecp5.devices import DEVICES, Device, find_device
from hwgen.errors import InputError

METRICS: dict[str, str] = {
    "accuracy": "fraction of images classified correctly, 0 to 1",
    "cycles": "clock cycles per inference",
    "latency_ms": "cycles divided by the clock (--clock-mhz)",
    "gmac_per_s": "multiply-accumulates of the network at that latency, 1e9 per second",
    "energy_uj": "dynamic energy per inference in microjoules, estimated by the eyeriss_65nm table",
    "multipliers": "multipliers in the array, rows x cols",
    "lut_equivalents": "area proxy: 6-input LUTs if everything were built of them",
    **{
        device.share_metric: f"share of the scarcest resource of an {device.name}; LUTs and flip-flops are modelled"
        for device in DEVICES.values()
    },
}

_FITS = re.compile(r"\s*fits\s*=\s*(?P<device>\S+)\s*")
_SYNTAX = re.compile(r"\s*(?P<metric>\w+)\s*(?P<sense><=|>=)\s*(?P<bound>\S+)\s*")


@dataclass(frozen=True)
class Constraint:
    """``metric`` at most (``<=``) or at least (``>=``) ``bound``."""

    metric: str
    sense: str
    bound: float

    def __str__(self) -> str:
        return f"{self.metric}{self.sense}{self.bound:g}"

    def violation(self, metrics: Mapping[str, float]) -> float:
        """How far ``metrics`` miss the bound, relative to it; at most 0 where the constraint holds."""
        excess = metrics[self.metric] - self.bound
        if self.sense == ">=":
            excess = -excess
        return excess / (abs(self.bound) or 1.0)


def fitted_device(text: str) -> Device | None:
    """The device of a constraint written ``fits=DEVICE``, None of another; InputError where there is no such device."""
    match = _FITS.fullmatch(text)
    return None if match is None else find_device(match["device"])


def parse_constraint(text: str) -> Constraint:
    """The constraint written as ``text``; InputError where the form, the metric or the bound is not accepted.

    ``fits=DEVICE`` is a bound of 1 on the share of the device.
    """
    device = fitted_device(text)
    if device is not None:
        return Constraint(device.share_metric, "<=", 1.0)
    match = _SYNTAX.fullmatch(text)
    if match is None:
        raise InputError(
            f"constraint: {text!r} is not of the form metric<=bound, metric>=bound or fits=device, "
            "such as latency_ms<=5 or fits=ecp5-85k"
        )
    metric, sense, bound = match["metric"], match["sense"], match["bound"]
    if metric not in METRICS:
        raise InputError(f"constraint: {metric!r} is not a metric; accepted: {', '.join(METRICS)}")
    try:
        value = float(bound)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"constraint: the bound {bound!r} of {metric} is not a finite number")
    return Constraint(metric, sense, value)
