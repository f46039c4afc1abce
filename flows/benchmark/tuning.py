"""Tuning: of the arrays that a preset's multipliers allow, the one that runs a network in the fewest cycles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig, ConfigError, Dataflow
from hwgen.cost_table import CostTable
from hwgen.cycles import predict
from hwgen.graph import LayerGraph

SIDES = range(4, 33)
"""Rows and columns that are tried."""
RF_DEPTHS = (8, 16, 32, 64)
SHORTLIST = 8
"""Variants that the composed cycle model finds best, which the exact one ranks."""


def array_variants(preset: AcceleratorConfig) -> Iterator[AcceleratorConfig]:
    """``preset``'s buffers and bus with arrays of every shape, as large as its multipliers allow, in every dataflow."""
    for rows in SIDES:
        cols = min(SIDES[-1], preset.multipliers // rows)
        for dataflow in Dataflow:
            for rf_depth in RF_DEPTHS:
                lanes = min(cols, preset.requant_lanes)
                shape = {"rows": rows, "cols": cols, "rf_depth": rf_depth, "requant_lanes": lanes}
                try:
                    yield replace(preset, dataflow=dataflow, **shape)
                except ConfigError:
                    continue


def tuned_array(graph: LayerGraph, preset: AcceleratorConfig) -> AcceleratorConfig:
    """The variant with the fewest predicted cycles; ``preset`` itself where none has fewer.

    Raises CompileError where the network does not compile for ``preset``.
    """
    variants = list(array_variants(preset))
    modelled = CostTable().costs(graph, variants).cycles
    shortlist = [variants[index] for index in np.argsort(modelled)[:SHORTLIST] if np.isfinite(modelled[index])]
    return min([preset, *shortlist], key=lambda config: predict(compile_graph(graph, config)).cycles)
