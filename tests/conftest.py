"""Fixtures that all packages' tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No test is judged by the time that it takes: the machine may have other work.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The data directory that COSYNTH_DATA names; tests that need it are skipped where it is absent."""
    name = os.environ.get("COSYNTH_DATA")
    if not name:
        pytest.skip("COSYNTH_DATA is not set: it names the directory of data sets and models")
    if not Path(name).is_dir():
        pytest.skip(f"COSYNTH_DATA is {name!r}, which is not a directory")
    return Path(name)
