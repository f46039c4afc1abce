"""A model of the clock that an accelerator reaches, fitted on those that were placed and routed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from flows.characterisation.models import ResourceModel
from flows.characterisation.plan import Point
from flows.characterisation.rows import Row
from hwgen.config import Dataflow

FEWEST_ROWS = 30
"""Placed and routed; of fewer, a model of this many features says nothing about others."""
STRENGTHS = np.logspace(-2, 4, 25)


@dataclass(frozen=True, eq=False)
class ClockModel:
    """Fmax in MHz: ridge regression of its logarithm."""

    regression: Pipeline
    resources: ResourceModel

    def fmax_mhz(self, point: Point) -> float:
        """What placement and routing of the accelerator of ``point`` reach."""
        return float(np.exp(self.regression.predict([_features(point, self.resources)])[0]))


def fit_clock(rows: Sequence[Row], resources: ResourceModel) -> ClockModel:
    """The model of ``rows``, all of them placed and routed."""
    regression = make_pipeline(StandardScaler(), RidgeCV(STRENGTHS))
    clocks = [row.routed.fmax_mhz for row in rows if row.routed is not None]
    regression.fit([_features(row.point, resources) for row in rows], np.log(clocks))
    return ClockModel(regression, resources)


def _features(point: Point, model: ResourceModel) -> list[float]:
    """Sizes that decide how far data travel, and how full the device is, which decides how straight."""
    config, device = point.config, point.device
    found = model.resources(point)
    sizes = (config.multipliers, config.act_word_bytes, config.bus_bits, config.requant_lanes, config.partial_sums)
    return [
        *map(log2, sizes),
        log2(found.lut),
        found.lut / device.lut,
        found.bram / device.bram,
        found.dsp / device.dsp,
        config.dataflow is Dataflow.WS,
        config.dataflow is Dataflow.RS,
    ]
