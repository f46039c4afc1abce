"""Writing so that an interruption leaves either the old state or the new one, never half of it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.errors import InputError
from hwgen.files import replacing, write_bytes


def write_array(path: Path, array: np.ndarray) -> None:
    """Replace ``path`` by ``array`` in NumPy's format, atomically."""
    with replacing(path) as file:
        np.save(file, array)


def write_json(path: Path, value: Any) -> None:
    """Replace ``path`` by ``value`` as indented JSON, atomically."""
    write_bytes(path, (json.dumps(value, indent=2) + "\n").encode())


def refuse_unwritable(option: str, path: Path | None) -> None:
    """InputError where ``option`` names a file that cannot be written: a directory, or one in no directory."""
    if path is not None and not path.parent.is_dir():
        raise InputError(f"{option}: {path.parent} is not a directory")
    if path is not None and path.is_dir():
        raise InputError(f"{option}: {path} is a directory; accepted: a file to write")


@contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """A temporary sibling that becomes ``path`` when the block ends well and vanishes when it does not.

    An empty directory at ``path`` is replaced; InputError where anything else stands there.
    """
    refuse_occupied(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield temporary
        temporary.chmod(0o755)
        if path.exists():
            path.rmdir()
        os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def refuse_occupied(path: Path) -> None:
    """InputError unless ``path`` is free to become a new directory."""
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"output: {path} exists already; name a directory that does not exist or is empty")
