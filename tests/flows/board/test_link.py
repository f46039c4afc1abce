"""The host's end of a serial line: requests are sent again where no answer comes, and given up in the end."""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.board.link import ATTEMPTS, BoardLinkError, open_link
from hwgen.board.protocol import MAX_WORDS, Answer, Status, encode_answer, encode_read

BAUD = 115200
TIMEOUT = 0.2
REQUEST_BYTES = len(encode_read(0, 1, 0))


@contextmanager
def board(*replies: Callable[[int], bytes]) -> Iterator[str]:
    """A port behind which each request for a read is answered by the next of ``replies`` to its sequence number."""
    line, port = os.openpty()
    tty.setraw(port)

    def answer() -> None:
        for reply in replies:
            request = b""
            while len(request) < REQUEST_BYTES:
                request += os.read(line, REQUEST_BYTES - len(request))
            os.write(line, reply(request[3]))

    thread = threading.Thread(target=answer)
    thread.start()
    yield os.ttyname(port)
    thread.join()
    os.close(line)
    os.close(port)


def right(sequence: int) -> bytes:
    return encode_answer(Answer(sequence, Status.DONE, (7,)))


def damaged(sequence: int) -> bytes:
    return right(sequence)[:-1] + b"\0"


def none(sequence: int) -> bytes:
    return b""


def stale(sequence: int) -> bytes:
    return right(sequence - 1)


@pytest.mark.parametrize("first", [none, damaged, stale])
def test_asks_again_where_the_answer_is_missing_damaged_or_another(first: Callable[[int], bytes]) -> None:
    with board(first, right) as port, open_link(port, BAUD, TIMEOUT) as link:
        assert link.read(0, 1) == [7]


def test_a_board_that_does_not_answer_is_given_up() -> None:
    with board(*[none] * ATTEMPTS) as port, open_link(port, BAUD, TIMEOUT) as link:
        with pytest.raises(BoardLinkError, match=f"no answer from the board at {port} within {ATTEMPTS} times 0.2 s"):
            link.read(0, 1)


def test_an_address_where_nothing_is_is_named_as_the_reason() -> None:
    with board(lambda sequence: encode_answer(Answer(sequence, Status.FAILED, (0,)))) as port:
        with open_link(port, BAUD, TIMEOUT) as link, pytest.raises(BoardLinkError, match="nothing at an address"):
            link.read(0x3FFF_FFFC, 1)


def test_a_port_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "missing"):
        with pytest.raises(BoardLinkError, match=f"port: {path} cannot be opened"), open_link(str(path), BAUD, TIMEOUT):
            pass


def test_long_transfers_are_several_requests() -> None:
    def words(sequence: int) -> bytes:
        return encode_answer(Answer(sequence, Status.DONE, tuple([sequence] * MAX_WORDS)))

    with board(words, right) as port, open_link(port, BAUD, TIMEOUT) as link:
        assert link.read(0, MAX_WORDS + 1) == [1] * MAX_WORDS + [7]
