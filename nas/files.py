"""Where data files lie: a directory that the user names, or its folder ``data``."""

from __future__ import annotations

import os
from pathlib import Path

from hwgen.errors import InputError

DATA_VARIABLE = "COSYNTH_DATA"


class DataError(InputError):
    """Data that cannot be had; the message says what is accepted."""


def find_file(names: tuple[str, ...], data_dir: Path | None = None) -> Path:
    """The first of ``names`` in ``data_dir`` (by default the directory that COSYNTH_DATA names) or its folder ``data``.

    Raises DataError where there is none.
    """
    directory = data_dir or os.environ.get(DATA_VARIABLE)
    accepted = ", ".join(names)
    if not directory:
        raise DataError(f"data directory: none is given; accepted: {DATA_VARIABLE} set to one that holds {accepted}")
    for folder in (Path(directory), Path(directory) / "data"):
        for name in names:
            if (folder / name).exists():
                return folder / name
    raise DataError(f"data directory: {directory} and its folder data hold no such file; accepted: {accepted}")
