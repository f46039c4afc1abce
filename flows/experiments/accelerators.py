"""The accelerators of the experiments that ask for tens of thousands of pairs."""

from __future__ import annotations

from flows.pairs.accelerator_space import AcceleratorSpace
from hwgen.config import Dataflow

ACCELERATORS = AcceleratorSpace(
    rows=(8, 16),
    cols=(8, 16),
    dataflow=tuple(Dataflow),
    rf_depth=(16, 64),
    act_buffer_kib=(64, 128, 256),
    weight_buffer_kib=(32, 128),
    bus_bits=(64,),
    requant_lanes=(4,),
)
"""Those of a search on cifar10 thinned out until every pair can be costed: the small arrays and buffers, of which the
cost model is slow, are left out, and the memory's bus is the device's."""
