"""What the stages of a search took: a line in ``stages.jsonl`` for each that came to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any

from flows.line_log import LineFormat, LineLog, read_records
from flows.stopwatch import Spent, Stopwatch

FILE_NAME = "stages.jsonl"


class Stage(StrEnum):
    """A part of a search that is begun once and not interrupted by another."""

    ACCURACIES = "accuracies"
    """What the oracle needs before it answers: the supernet's training."""
    PAIRS = "pairs"
    """Proposing, modelling and measuring pairs, and implementing the front's accelerators."""
    IMPLEMENTATION = "implementation"
    """Of the chosen pair's accelerator, to its bitstream."""
    TRAINING = "training"
    """Of the chosen network."""
    DELIVERY = "delivery"
    """Quantising it, its accuracies in int8, and test images through the RTL."""


@contextmanager
def timed(run: Path, stage: Stage) -> Iterator[None]:
    """Keep what the block took in the run directory ``run``, if it ends well."""
    stopwatch = Stopwatch()
    yield
    with closing(LineLog(run / FILE_NAME, STAGE_LINES)) as log:
        log.append({"stage": stage.value, **asdict(stopwatch.read())})


def stage_costs(run: Path) -> dict[Stage, Spent]:
    """What each stage of the search in ``run`` took; of a resumed one, of all the times that it came to its end.

    Raises InputError where ``stages.jsonl`` is damaged.
    """
    lines = read_records(run / FILE_NAME, STAGE_LINES)
    return {
        stage: Spent(sum(spent.wall_seconds for spent in found), sum(spent.cpu_seconds for spent in found))
        for stage in Stage
        if (found := [spent for other, spent in lines if other is stage])
    }


def _read(values: dict[str, Any]) -> tuple[Stage, Spent]:
    return Stage(values["stage"]), Spent(float(values["wall_seconds"]), float(values["cpu_seconds"]))


STAGE_LINES = LineFormat(
    read=_read,
    damaged="run: {line}; delete the file to forget what the stages took",
    busy="resume: another search is writing {path}",
)
