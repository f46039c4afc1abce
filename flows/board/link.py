"""The host's end of the serial line to a board: words read and written, and asked again where no answer comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import serial

from hwgen.board.protocol import (
    MAX_WORDS,
    WORD_BYTES,
    Answer,
    Status,
    answer_bytes,
    decode_answer,
    encode_read,
    encode_write,
)

ATTEMPTS = 3
SEQUENCES = 256


class BoardLinkError(RuntimeError):
    """A board that does not answer, or not as it should; the message is one sentence."""


class BoardLink:
    """Access to the words of a board, at byte addresses of ``hwgen.board.protocol``."""

    def __init__(self, line: serial.Serial) -> None:
        self._line = line
        self._sequence = 0

    def read(self, address: int, count: int) -> list[int]:
        """``count`` words from ``address`` on. Raises BoardLinkError."""
        words: list[int] = []
        while len(words) < count:
            part = min(MAX_WORDS, count - len(words))
            sequence = self._next_sequence()
            words += self._ask(encode_read(address + WORD_BYTES * len(words), part, sequence), sequence, part)
        return words

    def write(self, address: int, words: Sequence[int]) -> None:
        """Write ``words`` from ``address`` on. Raises BoardLinkError."""
        for first in range(0, len(words), MAX_WORDS):
            part = words[first : first + MAX_WORDS]
            sequence = self._next_sequence()
            self._ask(encode_write(address + WORD_BYTES * first, part, sequence), sequence, 0)

    def _next_sequence(self) -> int:
        self._sequence = (self._sequence + 1) % SEQUENCES
        return self._sequence

    def _ask(self, request: bytes, sequence: int, words: int) -> tuple[int, ...]:
        """The words of the answer, of which there should be so many.

        A request may be acted upon twice: reading, and writing the same again, do no harm.
        """
        for _ in range(ATTEMPTS):
            answer = self._exchange(request, words)
            if answer is not None and answer.sequence == sequence:
                if answer.status is not Status.DONE:
                    raise BoardLinkError(
                        f"the board at {self._line.port} has nothing at an address that it was asked for"
                    )
                return answer.words
        raise BoardLinkError(
            f"no answer from the board at {self._line.port} within {ATTEMPTS} times {self._line.timeout:g} s: "
            "is it configured, is this its port, and does --baud fit it?"
        )

    def _exchange(self, request: bytes, words: int) -> Answer | None:
        """Send a request and take the answer; None where none came in time, or a damaged one."""
        try:
            self._line.reset_input_buffer()
            self._line.write(request)
            return decode_answer(self._line.read(answer_bytes(words)))
        except serial.SerialTimeoutException:
            return None
        except (serial.SerialException, OSError) as error:
            raise BoardLinkError(f"the board at {self._line.port} is gone: {error}") from error


@contextmanager
def open_link(port: str, baud: int, timeout: float) -> Iterator[BoardLink]:
    """The link to the board at ``port``, with ``timeout`` seconds for each answer. Raises BoardLinkError."""
    try:
        line = serial.Serial(port, baud, timeout=timeout, write_timeout=timeout, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        raise BoardLinkError(f"port: {port} cannot be opened: {error}") from error
    with line:
        yield BoardLink(line)
