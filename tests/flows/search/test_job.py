"""What the search job says where a search found nothing, or a file of the run directory is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from flows.search.best_pair import verification_summary
from flows.search.job import run_search
from flows.search.settings import Depth, Settings
from flows.tools import ImplementationError
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
    monkeypatch.setattr("flows.search.job.accuracy_source", lambda *_: source)
    monkeypatch.setattr("flows.search.job._search_pairs", lambda *_: [])
    with pytest.raises(InputError, match=message):
        run_search(tmp_path / "run", Settings(constraints=constraints), Console(quiet=True))


def test_a_missing_tool_is_named_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.tools.find_spec", lambda name: None)
    settings = Settings(constraints=("fits=ecp5-25k",), implement=Depth.SYNTHESISED)
    with pytest.raises(ImplementationError, match=r"^pyosys is not installed"):
        run_search(tmp_path / "run", settings, Console(quiet=True))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("unseen", "accuracy"), [("test", "95.12% on 450"), ("validation", "91.00% on 449")])
def test_the_verification_is_summed_up_on_images_that_nothing_was_chosen_by(
    tmp_path: Path, unseen: str, accuracy: str
) -> None:
    values = {"int8_test_accuracy": 0.9512, "int8_test_images": 450, "rtl": {"images": 32}, "unseen": unseen}
    values |= {"int8_validation_accuracy": 0.91, "int8_validation_images": 449}
    (tmp_path / "verification.json").write_text(json.dumps(values))
    summary = verification_summary(tmp_path)
    assert summary.startswith(f"int8 accuracy {accuracy} {unseen} images, by which nothing was chosen; the first 32 ")


@pytest.mark.parametrize(
    "content",
    [
        *(None, b"", b"{", b"\xff", b"[]", b"{}"),
        b'{"int8_test_accuracy": 0.9, "int8_test_images": 450, "rtl": 3}',
        b'{"int8_test_accuracy": "high", "int8_test_images": 450, "rtl": {"images": 32}}',
    ],
)
def test_a_damaged_verification_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "verification.json").write_bytes(content)
    with pytest.raises(InputError, match=r"^run: .*verification\.json is missing or damaged .*; delete "):
        verification_summary(tmp_path)
