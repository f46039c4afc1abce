"""Hazards order every two accesses that collide, and rings hand out the places that the accesses then share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.compiler.hazards import Access, Hazards, Waits, merge_waits
from hwgen.compiler.ring import Ring
from hwgen.program import Engine

SIZE = 24


@st.composite
def accesses(draw: st.DrawFn) -> tuple[Engine, int, int, bool]:
    """(engine, start, end, whether it writes) of one instruction."""
    start = draw(st.integers(0, SIZE - 1))
    return draw(st.sampled_from(Engine)), start, draw(st.integers(start + 1, SIZE)), draw(st.booleans())


def scheduled(schedule: list[tuple[Engine, int, int, bool]]) -> list[Waits]:
    """The waits that ``Hazards`` gives each instruction, when each makes one access."""
    hazards = Hazards()
    issued = dict.fromkeys(Engine, 0)
    waits = []
    for engine, start, end, writes in schedule:
        waits.append(hazards.before_write(start, end) if writes else hazards.before_read(start, end))
        issued[engine] += 1
        record = hazards.record_write if writes else hazards.record_read
        record(Access(start, end, engine, issued[engine]))
    return waits


def ordered_before(schedule: list[tuple[Engine, int, int, bool]], waits: list[Waits]) -> list[set[int]]:
    """For each instruction, those that must have retired before it starts: by waits, by engine order, and so on."""
    instructions_of: dict[Engine, list[int]] = {engine: [] for engine in Engine}
    before: list[set[int]] = []
    for index, (engine, *_) in enumerate(schedule):
        direct = set(instructions_of[engine])
        for other, retired in waits[index].items():
            direct.update(instructions_of[other][:retired])
        before.append(direct.union(*(before[earlier] for earlier in direct)))
        instructions_of[engine].append(index)
    return before


@given(schedule=st.lists(accesses(), max_size=40))
def test_colliding_accesses_are_ordered(schedule: list[tuple[Engine, int, int, bool]]) -> None:
    before = ordered_before(schedule, scheduled(schedule))
    for later, (_, start, end, writes) in enumerate(schedule):
        for earlier, (_, other_start, other_end, other_writes) in enumerate(schedule[:later]):
            if (writes or other_writes) and start < other_end and other_start < end:
                assert earlier in before[later]


@given(schedule=st.lists(accesses(), max_size=40))
def test_waits_name_earlier_instructions_that_collide(schedule: list[tuple[Engine, int, int, bool]]) -> None:
    """No wait is for nothing: the instruction that it names touches what the waiting one touches."""
    for index, waits in enumerate(scheduled(schedule)):
        _, start, end, writes = schedule[index]
        for engine, retired in waits.items():
            earlier = [access for access in schedule[:index] if access[0] is engine]
            assert 1 <= retired <= len(earlier)
            _, other_start, other_end, other_writes = earlier[retired - 1]
            assert start < other_end and other_start < end
            assert writes or other_writes


def test_reads_do_not_wait_for_reads() -> None:
    hazards = Hazards()
    hazards.record_read(Access(0, 8, Engine.LOAD, 1))
    assert hazards.before_read(0, 8) == {}
    assert hazards.before_write(7, 9) == {Engine.LOAD: 1}
    assert hazards.before_write(8, 9) == {}


def test_what_is_overwritten_is_forgotten() -> None:
    """A long program keeps no more accesses than a buffer has room for."""
    hazards = Hazards()
    for retired in range(1, 1000):
        place = 8 * (retired % 3)
        hazards.record_write(Access(place, place + 8, Engine.LOAD, retired))
        hazards.record_read(Access(place, place + 8, Engine.COMPUTE, retired))
    assert len(hazards.writes) + len(hazards.reads) <= 6


def test_merged_waits_are_the_largest_of_each_engine() -> None:
    merged = merge_waits({Engine.LOAD: 3, Engine.STORE: 1}, {}, {Engine.LOAD: 2, Engine.COMPUTE: 5})
    assert merged == {Engine.LOAD: 3, Engine.COMPUTE: 5, Engine.STORE: 1}


@pytest.mark.parametrize("base", [0, 64, 2048])
@given(lengths=st.lists(st.integers(1, 96), max_size=30))
def test_allocations_fit_and_follow_each_other(base: int, lengths: list[int]) -> None:
    ring, end = Ring(base, 96), base
    for length in lengths:
        start = ring.allocate(length)
        assert start == (end if end + length <= base + 96 else base)
        end = start + length


def test_what_exceeds_the_ring_is_refused() -> None:
    ring = Ring(0, 16)
    assert ring.allocate(16) == 0
    with pytest.raises(ValueError, match="17 units do not fit a buffer of 16"):
        ring.allocate(17)
