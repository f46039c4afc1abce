"""What a search's stages took is kept as they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.search.stages import FILE_NAME, Stage, stage_costs, timed
from flows.stopwatch import Spent
from hwgen.errors import InputError

ONE_AND_A_HALF = '{"stage": "pairs", "wall_seconds": 1.5, "cpu_seconds": 1.0}\n'


def test_a_stage_is_kept_when_it_ends_well(tmp_path: Path) -> None:
    with timed(tmp_path, Stage.PAIRS):
        assert stage_costs(tmp_path) == {}
    with pytest.raises(KeyboardInterrupt), timed(tmp_path, Stage.TRAINING):
        raise KeyboardInterrupt
    assert list(stage_costs(tmp_path)) == [Stage.PAIRS]
    assert 0 <= stage_costs(tmp_path)[Stage.PAIRS].wall_seconds < 60


def test_the_times_of_a_stage_add_up(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(2 * ONE_AND_A_HALF)
    assert stage_costs(tmp_path) == {Stage.PAIRS: Spent(3.0, 2.0)}


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(ONE_AND_A_HALF + '{"stage": "lunch", "wall_seconds": 1, "cpu_seconds": 1}\n')
    with pytest.raises(InputError, match=r"^run: line 2 of .*stages\.jsonl is damaged .*; delete the file"):
        stage_costs(tmp_path)
