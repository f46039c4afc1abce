"""Small accelerators that differ from each other in every parameter, for tests that build them."""

from __future__ import annotations

from hwgen.config import AcceleratorConfig, Dataflow

ACCELERATORS: dict[str, AcceleratorConfig] = {
    "narrow": AcceleratorConfig(
        rows=4,
        cols=4,
        rf_depth=4,
        act_buffer_kib=8,
        weight_buffer_kib=4,
        param_channels=32,
        bus_bits=32,
        requant_lanes=2,
    ),
    "uneven": AcceleratorConfig(
        rows=6,
        cols=3,
        dataflow=Dataflow.WS,
        rf_depth=5,
        act_buffer_kib=16,
        weight_buffer_kib=3,
        param_channels=24,
        bus_bits=128,
        requant_lanes=3,
    ),
    "tall": AcceleratorConfig(
        rows=7,
        cols=2,
        dataflow=Dataflow.RS,
        rf_depth=8,
        act_buffer_kib=8,
        weight_buffer_kib=2,
        param_channels=48,
        bus_bits=32,
        requant_lanes=1,
    ),
}
