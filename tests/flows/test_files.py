"""An interruption leaves the old state or the new one."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.files import new_directory, write_bytes
from hwgen.errors import InputError


def test_a_directory_appears_whole(tmp_path: Path) -> None:
    with new_directory(tmp_path / "deep" / "result") as directory:
        (directory / "file").write_text("content")
        assert not (tmp_path / "deep" / "result").exists()
    assert (tmp_path / "deep" / "result" / "file").read_text() == "content"


def test_an_interrupted_directory_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), new_directory(tmp_path / "result") as directory:
        (directory / "file").write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_occupied_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(InputError, match="exists already"), new_directory(tmp_path):
        pass
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    write_bytes(tmp_path / "file", b"old")
    write_bytes(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 1
