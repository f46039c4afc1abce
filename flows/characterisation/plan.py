"""The plan: which accelerators are implemented, on which devices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from scipy.stats import qmc

from flows.implement.ecp5.devices import DEVICES, Device
from flows.implement.ecp5.lut_products import multipliers_beside
from flows.implement.ecp5.resources import block_memories
from hwgen.config import BUS_WIDTHS, KIB, AcceleratorConfig, Dataflow

Choice = TypeVar("Choice")

SIDES = (2, 16)
"""Least and most rows and columns; a 16x16 array's LUTs about fill the largest device."""
DEPTHS = (1, 64)
ACT_BUFFERS = (4, 8, 16, 32, 64, 128, 256)
WEIGHT_BUFFERS = (1, 256)
CHANNELS = (16, 2048)
LUTS_PER_PRODUCT, LUTS_BESIDE = 160, 12_000
"""More than most accelerators take, so that few of the plan do not fit after all."""


@dataclass(frozen=True)
class Point:
    """An accelerator to implement on a device with at most so many multipliers of it."""

    config: AcceleratorConfig
    device: Device
    multipliers: int


def plan(seed: int) -> Iterator[Point]:
    """Points without end, of a scrambled Sobol sequence: any first part of them spans the space evenly.

    Sizes are spread by their logarithms, because twice the rows matter as much at one end as at the other.
    """
    sequence = qmc.Sobol(d=9, rng=seed)
    while True:
        (sample,) = sequence.random(1)
        point = _point(*map(float, sample))
        if point is not None:
            yield point


def _point(
    rows: float,
    cols: float,
    dataflow: float,
    depth: float,
    act: float,
    weights: float,
    channels: float,
    bus: float,
    lanes: float,
) -> Point | None:
    """The point at these coordinates, each from 0 to 1; None where no device has room for it."""
    height, width = _between(SIDES, rows), _between(SIDES, cols)
    config = AcceleratorConfig(
        rows=height,
        cols=width,
        dataflow=_one_of(tuple(Dataflow), dataflow),
        rf_depth=_between(DEPTHS, depth),
        act_buffer_kib=_one_of(ACT_BUFFERS, act),
        weight_buffer_kib=max(_between(WEIGHT_BUFFERS, weights), ceil(16 * height * width / KIB)),
        param_channels=max(_between(CHANNELS, channels), 2 * width),
        bus_bits=_one_of(BUS_WIDTHS, bus),
        requant_lanes=_between((1, width), lanes),
    )
    for device in DEVICES.values():
        room = device.lut >= LUTS_BESIDE + LUTS_PER_PRODUCT * config.multipliers
        if room and block_memories(config) <= device.bram and multipliers_beside(config) <= device.dsp:
            return Point(config, device, device.dsp)
    return None


def _between(bounds: tuple[int, int], place: float) -> int:
    """The size at ``place``, from 0 to 1, on a logarithmic scale, rounded."""
    low, high = bounds
    return min(high, max(low, round(low * (high / low) ** place)))


def _one_of(choices: tuple[Choice, ...], place: float) -> Choice:
    return choices[min(int(place * len(choices)), len(choices) - 1)]
