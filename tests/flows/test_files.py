"""An interruption leaves the old state or the new one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from flows.files import new_directory, write_array, write_json
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


def test_arrays_and_json_are_read_back(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.int8).reshape(2, 3)
    write_array(tmp_path / "array.npy", array)
    assert np.array_equal(np.load(tmp_path / "array.npy"), array)
    write_json(tmp_path / "value.json", {"rows": [1, 2]})
    assert json.loads((tmp_path / "value.json").read_text()) == {"rows": [1, 2]}
