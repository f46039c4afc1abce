"""What the search job says where a search found nothing, or a file of the run directory is damaged."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from flows.search import run_search
from flows.settings import Settings
from hwgen.errors import InputError


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        ((), r"^search: no accelerator that was built can run .* of nasbench201 .*; accepted: more accelerators"),
        (("cycles<=1", "accuracy>=0.5"), r"^constraint: no measured pair .* meets cycles<=1, accuracy>=0\.5; accepted"),
    ],
)
def test_an_empty_front_says_what_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, constraints: tuple[str, ...], message: str
) -> None:
    source = SimpleNamespace(prepare=lambda: None)
    monkeypatch.setattr("flows.search.accuracy_source", lambda *_: source)
    monkeypatch.setattr("flows.search._search_pairs", lambda *_: [])
    with pytest.raises(InputError, match=message):
        run_search(tmp_path / "run", Settings(constraints=constraints), Console(quiet=True))
