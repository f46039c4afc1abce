"""One rule for where caches lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.cache import cache_directory


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"COSYNTH_CACHE": "/chosen", "XDG_CACHE_HOME": "/xdg"}, "/chosen"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/cosynth"),
        ({"COSYNTH_CACHE": "", "XDG_CACHE_HOME": ""}, "/home/someone/.cache/cosynth"),
        ({}, "/home/someone/.cache/cosynth"),
    ],
)
def test_the_variables_are_asked_in_order(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    for name in ("COSYNTH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_directory() == Path(expected)
