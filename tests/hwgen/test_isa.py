"""The instruction set: every value that a field holds comes back from the instruction, every other is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.isa import (
    HEADER,
    INSTRUCTION_BITS,
    INSTRUCTION_BYTES,
    LAYOUTS,
    PARAMETER_BYTES,
    WORD_ADDRESS_BITS,
    Opcode,
    encode,
    largest,
)
from tests.hwgen.interpreter import decode

SIGNED_FIELDS = {
    *("first_row", "first_offset", "pad_value", "input_low", "input_high"),
    *("zero_point", "clamp_low", "clamp_high", "left_zero", "right_zero"),
}
every_opcode = pytest.mark.parametrize("opcode", Opcode)
EVERY_FIELD = [(opcode, name) for opcode in Opcode for name, _ in LAYOUTS[opcode] if name not in ("opcode", "unused")]
every_field = pytest.mark.parametrize(("opcode", "name"), EVERY_FIELD)


def ends(opcode: Opcode, name: str) -> tuple[int, int]:
    """Least and largest value of a field."""
    width = LAYOUTS[opcode][name].width
    return (-(1 << width - 1), (1 << width - 1) - 1) if name in SIGNED_FIELDS else (0, (1 << width) - 1)


@st.composite
def instructions(draw: st.DrawFn) -> tuple[Opcode, dict[str, int]]:
    opcode = draw(st.sampled_from(Opcode))
    names = [name for name, _ in LAYOUTS[opcode] if name not in ("opcode", "unused")]
    return opcode, {name: draw(st.integers(*ends(opcode, name))) for name in names}


@every_opcode
def test_an_instruction_has_a_layout_of_its_full_size(opcode: Opcode) -> None:
    assert LAYOUTS[opcode].size == INSTRUCTION_BITS
    assert len(encode(opcode)) == INSTRUCTION_BYTES


@every_opcode
def test_every_layout_begins_with_the_header(opcode: Opcode) -> None:
    header = [(name, LAYOUTS[opcode][name].width) for name in HEADER]
    assert header == list(HEADER.items())
    assert LAYOUTS[opcode]["opcode"].offset == 0


@every_opcode
def test_fields_do_not_overlap(opcode: Opcode) -> None:
    end = 0
    for _, member in LAYOUTS[opcode]:
        assert member.offset == end
        end += member.width
    assert end == INSTRUCTION_BITS


@given(instruction=instructions())
def test_fields_come_back_as_they_were_given(instruction: tuple[Opcode, dict[str, int]]) -> None:
    opcode, fields = instruction
    decoded = decode(encode(opcode, **fields))
    assert decoded.opcode is opcode
    assert decoded.fields == {"opcode": opcode, "unused": 0, **fields}


@every_field
def test_values_beyond_a_field_are_refused(opcode: Opcode, name: str) -> None:
    low, high = ends(opcode, name)
    for value in (low, high):
        assert decode(encode(opcode, **{name: value})).fields[name] == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValueError, match=rf"^{opcode.name.lower()} field {name}: {value} does not fit"):
            encode(opcode, **{name: value})


def test_a_field_that_the_instruction_lacks_is_refused() -> None:
    with pytest.raises(KeyError):
        encode(Opcode.STORE, weight_address=1)


def test_largest_values_follow_the_layouts() -> None:
    assert largest(Opcode.MAC, "hold") == 1
    assert largest(Opcode.LOAD_WEIGHT, "words") == 2**WORD_ADDRESS_BITS - 1


def test_a_parameter_entry_holds_bias_multiplier_and_shift() -> None:
    assert PARAMETER_BYTES >= 4 + 4 + 1
