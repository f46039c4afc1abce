"""kill -9 loses no finished evaluation."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.pairs.evaluation import Tier
from tests.flows.fakes import ToyEvaluator
from tests.flows.search.test_pair_search import run_search

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


@pytest.mark.parametrize("evaluations", [1, 40])
def test_a_killed_search_resumes_with_what_it_had_finished(tmp_path: Path, evaluations: int) -> None:
    log = tmp_path / "log.jsonl"
    search = subprocess.Popen([sys.executable, "-m", "tests.flows.search.toy_search", str(log)], cwd=ROOT)
    give_up = time.monotonic() + PATIENCE_SECONDS
    while len(lines(log)) < evaluations and time.monotonic() < give_up:
        time.sleep(0.01)
    search.kill()
    search.wait()
    finished = lines(log)
    assert len(finished) >= evaluations

    evaluator = ToyEvaluator()
    front = run_search(log, evaluator)
    assert front == run_search(tmp_path / "uninterrupted.jsonl", ToyEvaluator())
    assert lines(log)[: len(finished) - 1] == finished[:-1]
    already = sum(json.loads(line)["cycles_tier"] == Tier.MEASURED for line in finished[:-1])
    assert len(evaluator.measured) <= sum(b'"measured' in line for line in lines(log)) - already
