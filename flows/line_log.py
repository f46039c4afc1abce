"""Finished records on disk, one JSON object a line: what is whole survives an interruption."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from hwgen.errors import InputError

Record = TypeVar("Record")


@dataclass(frozen=True)
class LineFormat(Generic[Record]):
    """How the lines of a log are read, and what its errors say."""

    read: Callable[[dict[str, Any]], Record]
    """May raise ValueError, KeyError or TypeError of a damaged line."""
    damaged: str
    """Of ``line``: which line of which file, and what is wrong with it."""
    busy: str
    """Of ``path``, where another process appends to it."""


def read_records(path: Path, lines: LineFormat[Record]) -> list[Record]:
    """The records in ``path``; a last line that an interruption left torn is not one.

    Raises InputError where another line is damaged.
    """
    records = []
    for number, line in enumerate(_whole_lines(path).splitlines(), start=1):
        try:
            records.append(lines.read(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            what = f"line {number} of {path} is damaged ({error!r})"
            raise InputError(lines.damaged.format(line=what)) from error
    return records


class LineLog(Generic[Record]):
    """The records found in ``path``, to which others are appended as they finish.

    Raises InputError where another process appends to ``path``, or a line of it is damaged.
    """

    def __init__(self, path: Path, lines: LineFormat[Record]) -> None:
        self._file = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.found = read_records(path, lines)
        except BlockingIOError as error:
            self._file.close()
            raise InputError(lines.busy.format(path=path)) from error
        except InputError:
            self._file.close()
            raise
        self._file.truncate(len(_whole_lines(path)))

    def append(self, values: dict[str, Any]) -> None:
        """Keep ``values``, which the format can read; they are on disk when this returns."""
        self._file.write(json.dumps(values).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let another process append."""
        self._file.close()


def _whole_lines(path: Path) -> bytes:
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1]
