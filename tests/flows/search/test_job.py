"""What the search job says where a search found nothing, or a file of the run directory is damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from flows.characterisation.models import Resources
from flows.pairs.objectives import Objectives
from flows.pairs.pareto import best_pair
from flows.search.best_pair import verification_summary
from flows.search.front_implementation import OnDevice
from flows.search.job import run_search
from flows.search.results import BEST
from flows.search.settings import Depth, Settings
from flows.tools import ImplementationError
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError
from tests.flows.fakes import ToyEvaluator
from tests.flows.search.test_pair_search import run_search as search_toy_pairs


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


@pytest.mark.parametrize("refused", [0, 1, None])
def test_the_chosen_pair_is_the_best_whose_accelerator_was_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: int | None
) -> None:
    """The first ``refused`` of the front's accelerators are, or all; the best pair's is implemented first."""
    front = search_toy_pairs(tmp_path / "evaluations.jsonl", ToyEvaluator())
    best = best_pair(front, (), Objectives(100))
    assert best is not None
    asked: list[AcceleratorConfig] = []

    def implement(run: Path, accelerators: list[AcceleratorConfig], *_: object) -> dict[AcceleratorConfig, OnDevice]:
        asked.extend(accelerators)
        fits = OnDevice("ecp5-85k", Resources(1, 1, 1, 1), None, None)
        return dict.fromkeys(asked, fits) | dict.fromkeys(asked[:refused], replace(fits, refused="too large"))

    monkeypatch.setattr("flows.search.job.accuracy_source", lambda *_: SimpleNamespace(prepare=lambda: None))
    monkeypatch.setattr("flows.search.job._search_pairs", lambda *_: front)
    monkeypatch.setattr("flows.search.job.verification_summary", lambda _: "")
    monkeypatch.setattr("flows.search.job.implement_front", implement)
    run = tmp_path / "run"
    settings = Settings(constraints=("fits=ecp5-85k",))
    (run / BEST).mkdir(parents=True)
    settings.save(run)
    results = run_search(run, settings, Console(quiet=True))
    assert asked[0] == best.pair.accelerator
    assert len(asked) == len(set(asked)) > 1
    assert set(asked) == {member.pair.accelerator for member in front}
    others = [member for member in front if member.pair.accelerator not in asked[:refused]]
    assert results.best == (best_pair(others, (), Objectives(100)) or best)
    assert (results.best == best) == (refused != 1)


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
