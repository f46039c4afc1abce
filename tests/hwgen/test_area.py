"""The area proxy, worked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hwgen.area import lut_equivalents
from hwgen.config import AcceleratorConfig


@pytest.mark.parametrize(
    ("change", "added"),
    [
        ({"rows": 9}, 9 * 96),
        ({"cols": 10}, 8 * 96 + 2 * 16 * 32 // 64),
        ({"rf_depth": 17}, 2 * 9 * 32 // 64),
        ({"requant_lanes": 7}, -1024 - 9 * 31),
        ({"requant_lanes": 9}, 1024),
        ({"act_buffer_kib": 128}, 64 * 1024 * 8 // 64),
        ({"weight_buffer_kib": 64}, 32 * 1024 * 8 // 64),
    ],
)
def test_the_area_proxy_counts_adder_bits_and_memory(change: dict[str, int], added: int) -> None:
    """A ninth requantisation lane brings no prescale lane: the array has eight rows to fetch operands for."""
    config = AcceleratorConfig(rows=8, cols=9, requant_lanes=8)
    assert lut_equivalents(replace(config, **change)) - lut_equivalents(config) == added
