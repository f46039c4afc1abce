"""The fetches that the cycle model expects are those of the sequencers' goldens."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from operator import or_

import numpy as np
import pytest

from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.cycles.fetches import add_fetches, add_halves, mac_fetches, mac_halves
from hwgen.cycles.memories import touched
from hwgen.rtl.add_sequencer import add_steps
from hwgen.rtl.mac_steps import mac_steps
from hwgen.rtl.step import StepFields
from sim.benches.stimulus import random_add, random_mac


def memories(step: StepFields, config: AcceleratorConfig) -> int:
    """Those of the two words that each of a step's vectors lies in."""
    places = [
        (np.array(bank), np.array(address // config.act_word_bytes)) for bank, address in step["fetched"].values()
    ]
    return reduce(or_, (int(touched(bank, word, word + 1, config)) for bank, word in places), 0)


def enters_pixel(before: StepFields, step: StepFields) -> bool:
    """Whether a pixel takes its partial sum in this step."""
    return bool(step["first"]) and (not before["first"] or step["slot"] != before["slot"])


@pytest.mark.parametrize("dataflow", Dataflow)
@pytest.mark.parametrize("rf_depth", [1, 3])
@pytest.mark.parametrize("seed", range(10))
def test_fetches_of_a_mac_whose_pixels_wait_for_partial_sums(dataflow: Dataflow, rf_depth: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = AcceleratorConfig(dataflow=dataflow, rf_depth=rf_depth, act_buffer_kib=16)
    mac = random_mac(rng, config, out_width=9, out_height=5)
    steps = mac_steps([mac], config)
    enters = np.array([True, *(enters_pixel(*pair) for pair in pairwise(steps))])
    waits = np.where(enters, rng.integers(0, 4, len(steps)), 0)
    cycles = np.arange(len(steps)) + np.cumsum(waits)
    expected = {
        cycle: memories(step, config) for cycle, step in zip(cycles.tolist(), steps, strict=True) if step["fetch"]
    }
    found = mac_fetches(mac, cycles[enters], config)
    assert dict(zip(*(values.tolist() for values in found), strict=True)) == expected
    assert all(touched & ~mac_halves(mac, config) == 0 for touched in expected.values())


@pytest.mark.parametrize("seed", range(10))
def test_fetches_of_an_addition(seed: int) -> None:
    config = AcceleratorConfig(act_buffer_kib=16)
    add = random_add(np.random.default_rng(seed))
    expected = [memories(step, config) for step in add_steps(add, config.eltwise_lanes)]
    cycles, found = add_fetches(add, 7, config)
    assert (cycles.tolist(), found.tolist()) == (list(range(7, 7 + len(expected))), expected)
    assert all(touched & ~add_halves(add, config) == 0 for touched in expected)
