"""Pairs of which resources are expected, and pairs of which they were found."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from flows.characterisation.models import expected_resources
from flows.characterisation.plan import plan
from flows.characterisation.rows import ROWS, Routed, read_rows
from flows.experiments.cost_log import CostLog
from flows.experiments.transfer_chip import METRICS, SEED, expected_pairs, implemented_pairs
from flows.pairs.cost_model import PairModel
from flows.pairs.evaluation import Cost, Pair
from nas.spaces import space
from tests.flows.test_cli import assert_refused

NETWORKS = space("nasbench201", "digits")


def cost(pair: Pair) -> Cost | None:
    """Made up; the widest buses do not run."""
    return None if pair.accelerator.bus_bits == 256 else Cost(pair.accelerator.multipliers, 1.0)


def test_what_is_not_implemented_has_the_resources_that_the_rtl_lets_expect(tmp_path: Path) -> None:
    with closing(CostLog(tmp_path / "costs.jsonl", cost)) as costs:
        pairs = expected_pairs(NETWORKS, PairModel(NETWORKS), costs, 12)
    points = list(islice(plan(SEED), 12))
    runs = [point.config.bus_bits < 256 for point in points]
    assert 0 < sum(runs) < 12
    assert np.isfinite(pairs.costs[:, 0]).tolist() == runs
    assert pairs.costs[:, METRICS.index("LUTs")] == pytest.approx([expected_resources(point).lut for point in points])
    assert np.isnan(pairs.costs[:, METRICS.index("Fmax")]).all()


def test_what_is_implemented_has_what_was_found_and_a_clock_where_it_was_routed(tmp_path: Path) -> None:
    synthesised, routed, *_ = read_rows(ROWS).values()
    synthesised = replace(synthesised, routed=None)
    routed = replace(routed, routed=Routed(93.5, "a to b", 1, 1, 6, "heap", 1))
    with closing(CostLog(tmp_path / "costs.jsonl", cost)) as costs:
        pairs = implemented_pairs(NETWORKS, PairModel(NETWORKS), costs, [synthesised, routed])
    assert pairs.costs[:, METRICS.index("flip-flops")].tolist() == [synthesised.total("ff"), routed.total("ff")]
    assert pairs.costs[:, METRICS.index("Fmax")] == pytest.approx([np.nan, 93.5], nan_ok=True)


def test_too_few_rows_are_refused_and_nothing_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(ROWS.read_text().splitlines(keepends=True)[:2]))
    arguments = ("experiment", "transfer-chip", "--rows", rows, "-o", tmp_path / "out")
    assert_refused(capsys, *arguments, naming=f"rows: {rows} has 2; accepted: 60 or more")
    assert not (tmp_path / "out").exists()
