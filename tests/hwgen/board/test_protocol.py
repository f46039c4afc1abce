"""Messages between host and board: answers survive the way, and damage is noticed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hwgen.board.protocol import Answer, Status, answer_bytes, decode_answer, encode_answer

ANSWERS = st.builds(
    Answer,
    st.integers(0, 255),
    st.sampled_from(Status),
    st.lists(st.integers(0, 2**32 - 1), max_size=8).map(tuple),
)


@given(ANSWERS)
def test_an_answer_is_read_as_it_was_sent(answer: Answer) -> None:
    message = encode_answer(answer)
    assert len(message) == answer_bytes(len(answer.words))
    assert decode_answer(message) == answer


@given(ANSWERS, st.data())
def test_a_damaged_answer_is_none(answer: Answer, data: st.DataObject) -> None:
    message = bytearray(encode_answer(answer))
    message[data.draw(st.integers(0, len(message) - 1))] ^= data.draw(st.integers(1, 255))
    assert decode_answer(bytes(message)) is None


@given(ANSWERS, st.data())
def test_a_part_of_an_answer_is_none(answer: Answer, data: st.DataObject) -> None:
    message = encode_answer(answer)
    assert decode_answer(message[: data.draw(st.integers(0, len(message) - 1))]) is None
