"""Bounds and stalls of a layer, from the counters of its cycles."""

from __future__ import annotations

from flows.simulate.layers import roofline, stalls
from hwgen.config import AcceleratorConfig
from hwgen.registers import COUNTERS

NOTHING = {counter.name: 0 for counter in COUNTERS}


def test_stalls_and_busy_cycles_are_all_cycles() -> None:
    counters = NOTHING | {
        "cycles": 100,
        "compute_busy": 60,
        "compute_wait_load": 20,
        "compute_wait_store": 8,
        "compute_wait_compute": 4,
        "compute_wait_drain": 2,
    }
    found = stalls(counters)
    assert (found.operands, found.output_space, found.computation, found.requantisation) == (20, 8, 4, 2)
    assert found.no_work == 6


def test_bounds_are_peak_macs_and_the_busier_channel() -> None:
    counters = NOTHING | {"dram_read_beats": 70, "dram_write_beats": 30}
    bound = roofline(1000, counters, AcceleratorConfig(rows=8, cols=8))
    assert (bound.compute, bound.bus) == (16, 70)
