"""AMD devices: what cells take of them, and what is refused because it is not one or does not fit."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from flows.implement.amd.devices import DEVICES, Resources, find_device, refuse_oversized, resources, utilisation
from hwgen.errors import InputError

SMALL = DEVICES["xc7a35t"]
FULL = Counter(LUT6=20_800 - 9_600, RAM64M=9_600 // 4, FDRE=41_600, DSP48E1=90, RAMB36E1=49, RAMB18E1=2)


def test_cells_are_counted_by_what_they_are_made_of() -> None:
    cells = Counter(LUT3=5, INV=1, RAM32M=2, RAM64M8=1, SRL16E=3, FDRE=7, FDSE=1, CARRY4=9, MUXF7=9, RAMB18E2=4)
    assert resources(cells) == Resources(
        lut=5 + 1 + 2 * 4 + 8 + 3, ff=8, dsp=0, ramb36=0, ramb18=4, distributed_ram=2 * 4 + 8, shift_register=3
    )


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(InputError, match="device: 'xc7z' is not supported; accepted: xc7a35t, xc7a100t, xc7z020"):
        find_device("xc7z")


def test_a_full_device_is_accepted() -> None:
    used = resources(FULL)
    assert all(count == limit for count, limit in utilisation(used, SMALL).values())
    refuse_oversized(SMALL, used)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("LUT2", "1 LUTs too many (20801 of 20800)"),
        ("SRL16E", "1 LUTs too many (20801 of 20800), 1 LUTs as memory too many (9601 of 9600)"),
        ("FDSE", "1 flip-flops too many (41601 of 41600)"),
        ("DSP48E1", "1 DSP48s too many (91 of 90)"),
        ("RAMB18E1", "1 18 Kbit memories too many (101 of 100)"),
        ("RAMB36E1", "2 18 Kbit memories too many (102 of 100)"),
    ],
)
def test_what_is_exceeded_is_named_and_by_how_much(cell: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"does not fit xc7a35t: {message}; accepted: a smaller")):
        refuse_oversized(SMALL, resources(FULL + Counter({cell: 1})))


def test_devices_of_the_family_with_room_for_it_are_offered() -> None:
    with pytest.raises(InputError, match=r"a smaller accelerator or xc7a100t or xc7k325t$"):
        refuse_oversized(SMALL, resources(Counter(DSP48E1=230)))
    with pytest.raises(InputError, match=r"accepted: a smaller accelerator$"):
        refuse_oversized(DEVICES["xczu7ev"], resources(Counter(DSP48E2=2000)))
