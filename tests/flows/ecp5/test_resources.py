"""Multipliers and block memories by configuration: those of the synthesised accelerator."""

from __future__ import annotations

import pytest

from flows.ecp5.devices import DEVICES
from flows.ecp5.lut_products import multipliers_beside
from flows.ecp5.resources import block_memories, multipliers
from flows.ecp5.synthesis import synthesise
from hwgen.config import AcceleratorConfig
from tests.sim.accelerators import ACCELERATORS


def test_multipliers_are_used_as_far_as_there_are() -> None:
    config = AcceleratorConfig(rows=8, cols=8)
    assert multipliers(config, 156) == multipliers_beside(config) + 64
    assert multipliers(config, 72) == 72


@pytest.mark.slow
@pytest.mark.parametrize(("name", "in_luts"), [("narrow", 5), ("uneven", 0), ("tall", 0)])
def test_synthesis_yields_as_many(name: str, in_luts: int) -> None:
    """One accelerator of each dataflow, none of whose sizes are alike."""
    config = ACCELERATORS[name]
    limit = multipliers(config, DEVICES["ecp5-85k"].dsp) - in_luts
    cells = synthesise(config, limit, watch=lambda _: None).cells
    assert (cells["MULT18X18D"], cells["DP16KD"]) == (multipliers(config, limit), block_memories(config))
