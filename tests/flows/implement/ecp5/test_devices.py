"""Devices: what is refused because it is not one, or does not fit it."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from flows.implement.ecp5.devices import DEVICES, find_device, refuse_oversized
from hwgen.errors import InputError

SMALL = DEVICES["ecp5-25k"]
FULL = Counter(LUT4=SMALL.lut, TRELLIS_FF=SMALL.lut, MULT18X18D=SMALL.dsp, DP16KD=SMALL.bram)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(InputError, match="device: 'ice40' is not supported; accepted: ecp5-25k, ecp5-45k, ecp5-85k"):
        find_device("ice40")


def test_a_full_device_is_accepted() -> None:
    refuse_oversized(SMALL, FULL)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("LUT4", "1 LUTs too many (24289 of 24288)"),
        ("CCU2C", "2 LUTs too many (24290 of 24288)"),
        ("TRELLIS_DPR16X4", "6 LUTs too many (24294 of 24288)"),
        ("TRELLIS_FF", "1 flip-flops too many (24289 of 24288)"),
        ("MULT18X18D", "1 18x18 multipliers too many (29 of 28)"),
        ("DP16KD", "1 18 Kbit memories too many (57 of 56)"),
    ],
)
def test_what_is_exceeded_is_named_and_by_how_much(cell: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"does not fit ecp5-25k: {message}; accepted: a smaller")):
        refuse_oversized(SMALL, FULL + Counter({cell: 1}))


def test_larger_devices_are_offered() -> None:
    with pytest.raises(InputError, match=r"a smaller accelerator or ecp5-45k or ecp5-85k$"):
        refuse_oversized(SMALL, Counter(DP16KD=100))
    with pytest.raises(InputError, match=r"a smaller accelerator$"):
        refuse_oversized(DEVICES["ecp5-85k"], Counter(DP16KD=1000))
