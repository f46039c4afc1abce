"""What the host and the board's bridge say to each other over the serial line: one table for both.

The host sends a request, the board acts on it and answers; nothing else is ever sent. Both are words of 32 bits, low
byte first, and end in the CRC-32 of all words before (as in Ethernet, zlib and gzip):

    request: header, address, [written words], CRC        answer: header, [read words], CRC

A header is ``mark | count - 1 << 8 | kind << 16 | sequence << 24``; an answer repeats its request's count and sequence
number. The board acts on a request only when all of it has arrived intact, and answers no other: a host that hears
nothing sends the request again. After a damaged one, the board listens again when the line has been quiet for a while.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

WORD_BYTES = 4
MAX_WORDS = 256
"""Words that a request reads or writes at most."""
REQUEST_MARK = 0xC5
ANSWER_MARK = 0x5C


class Operation(IntEnum):
    """Kinds of request."""

    READ = 1
    WRITE = 2


class Status(IntEnum):
    """Kinds of answer."""

    DONE = 0
    FAILED = 1
    """There is nothing at an address, or the accelerator's slave answered with an error."""


class Space(IntEnum):
    """What an address's uppermost two bits select."""

    MEMORY = 0
    REGISTERS = 2
    """The accelerator's, ``hwgen.registers``."""
    DESCRIPTION = 3
    """Read-only words, one per ``Description`` field."""

    @property
    def base(self) -> int:
        """Byte address of its beginning."""
        return self << 30


DESCRIPTION_MARK = 0x42534F43
"""First word of the description: ``COSB``."""


@dataclass(frozen=True)
class Description:
    """What a board says of itself, word by word."""

    mark: int
    memory_bytes: int
    clock_hz: int
    accelerator: int
    """``AcceleratorConfig.fingerprint`` of what it carries."""


@dataclass(frozen=True)
class Answer:
    """What the board said."""

    sequence: int
    status: Status
    words: tuple[int, ...]


def encode_read(address: int, count: int, sequence: int) -> bytes:
    """The request for ``count`` words from byte ``address`` on, a multiple of 4."""
    return _sealed(_header(REQUEST_MARK, Operation.READ, count, sequence), address)


def encode_write(address: int, words: Sequence[int], sequence: int) -> bytes:
    """The request to write ``words`` from byte ``address`` on, a multiple of 4."""
    return _sealed(_header(REQUEST_MARK, Operation.WRITE, len(words), sequence), address, *words)


def answer_bytes(words: int) -> int:
    """Size of an answer that brings so many words."""
    return WORD_BYTES * (words + 2)


def encode_answer(answer: Answer) -> bytes:
    """An answer as the board sends it; one to a write brings no words."""
    return _sealed(_header(ANSWER_MARK, answer.status, max(1, len(answer.words)), answer.sequence), *answer.words)


def decode_answer(message: bytes) -> Answer | None:
    """The answer that ``message`` is, None where it is none or was damaged."""
    if len(message) % WORD_BYTES or len(message) < answer_bytes(0):
        return None
    header, *words, crc = struct.unpack(f"<{len(message) // WORD_BYTES}I", message)
    kind = header >> 16 & 0xFF
    if header & 0xFF != ANSWER_MARK or crc != zlib.crc32(message[:-WORD_BYTES]) or kind not in tuple(Status):
        return None
    return Answer(header >> 24, Status(kind), tuple(words))


def _header(mark: int, kind: int, count: int, sequence: int) -> int:
    return mark | count - 1 << 8 | kind << 16 | sequence << 24


def _sealed(*words: int) -> bytes:
    message = struct.pack(f"<{len(words)}I", *words)
    return message + struct.pack("<I", zlib.crc32(message))
