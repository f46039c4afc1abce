"""Progress in a log file."""

from __future__ import annotations

import pytest

from nas.progress import SECONDS_PER_LINE, progress_bar


def test_a_log_file_gets_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr("nas.progress.time.monotonic", lambda: now)
    with progress_bar() as bar:
        task = bar.add_task("training", total=4)
        for _ in range(3):
            now += SECONDS_PER_LINE / 2
            bar.advance(task)
        now += SECONDS_PER_LINE
        bar.update(task, completed=4, description="training, the last")
    assert capsys.readouterr().err == "training: 2 of 4\ntraining, the last: 4 of 4\n"
