"""Random accelerator configurations, the smallest buffers and the oddest shapes often among them."""

from __future__ import annotations

import numpy as np

from hwgen.config import BUS_WIDTHS, KIB, AcceleratorConfig, Dataflow


def random_config(rng: np.random.Generator, dataflow: Dataflow | None = None) -> AcceleratorConfig:
    """A legal configuration, of any dataflow where it is None."""
    rows, cols = (int(rng.choice([2, 3, 32, *rng.integers(2, 33, 3)])) for _ in range(2))
    least_weights = -(-16 * rows * cols // KIB)
    return AcceleratorConfig(
        rows=rows,
        cols=cols,
        dataflow=dataflow or list(Dataflow)[rng.integers(len(Dataflow))],
        rf_depth=int(rng.choice([1, 2, 3, 16, 64])),
        act_buffer_kib=int(rng.choice([4, 4, 8, 64])),
        weight_buffer_kib=max(least_weights, int(rng.choice([1, 2, 16]))),
        param_channels=int(rng.choice([2 * cols, 2 * cols + 1, 256])),
        bus_bits=int(rng.choice(BUS_WIDTHS)),
        requant_lanes=int(rng.integers(1, cols + 1)),
    )
