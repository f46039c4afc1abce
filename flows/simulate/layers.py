"""Where a layer's cycles go: its roofline bounds and why the array did not take operands, from the RTL's counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from hwgen.config import AcceleratorConfig


@dataclass(frozen=True)
class Stalls:
    """Cycles of a layer in which the array (or the adder) took no operands, by cause."""

    operands: int
    """Waiting for loads of activations, weights or parameters."""
    output_space: int
    """Waiting for stores to free results' places in the buffer."""
    computation: int
    """Waiting for an earlier computation to leave the drain."""
    requantisation: int
    """Waiting for partial sums to be requantised."""
    no_work: int
    """No computation at hand: instructions being fetched, pipelines filling, the last stores."""


@dataclass(frozen=True)
class Roofline:
    """The least cycles in which a layer's work can be done; measured cycles may be fewer where layers overlap."""

    compute: int
    """Of its multiply-accumulates, with every multiplier busy."""
    bus: int
    """Of the beats that the bus carried in its time; reads and writes have a channel each."""


def stalls(counters: Mapping[str, int]) -> Stalls:
    """Why the array stood still, from the counters of a layer's cycles."""
    waits = {
        "operands": counters["compute_wait_load"],
        "output_space": counters["compute_wait_store"],
        "computation": counters["compute_wait_compute"],
        "requantisation": counters["compute_wait_drain"],
    }
    explained = counters["compute_busy"] + sum(waits.values())
    return Stalls(**waits, no_work=max(0, counters["cycles"] - explained))


def roofline(macs: int, counters: Mapping[str, int], config: AcceleratorConfig) -> Roofline:
    """Bounds of a layer of ``macs`` multiply-accumulates whose cycles have these ``counters``."""
    beats = max(counters["dram_read_beats"], counters["dram_write_beats"])
    return Roofline(compute=-(-macs // config.multipliers), bus=beats)


def layer_values(macs: int, counters: Mapping[str, int], config: AcceleratorConfig) -> dict[str, object]:
    """Both as JSON."""
    return {
        "bound_cycles": asdict(roofline(macs, counters, config)),
        "stall_cycles": asdict(stalls(counters)),
    }
