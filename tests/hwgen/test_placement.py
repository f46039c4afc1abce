"""Where a program's regions lie in memory."""

from __future__ import annotations

import dataclasses

import pytest

from hwgen.placement import PlacementError, place
from tests.sim.stubs import copy_program


def test_regions_lie_apart_on_their_own_pages() -> None:
    program = copy_program(bursts=70)
    placement = place(program, 1 << 20)
    assert all(base % 4096 == 0 for base in dataclasses.astuple(placement))
    assert placement.input + program.input.elements + 4096 <= placement.output


def test_a_program_fits_or_is_refused() -> None:
    program = copy_program(bursts=1)
    end = place(program, 1 << 20).output + 4096
    place(program, end)
    with pytest.raises(PlacementError, match=rf"copy needs {end} bytes of memory; accepted: at most {end - 1}"):
        place(program, end - 1)
