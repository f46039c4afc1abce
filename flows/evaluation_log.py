"""Every finished evaluation on disk, one JSON object a line: what an interrupted search resumes from."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.accelerators import config_from_values, config_values
from flows.evaluation import Evaluation, Pair, Tier
from hwgen.errors import InputError

EVALUATIONS = "evaluations.jsonl"
"""The log's name in a run directory."""


def evaluation_values(evaluation: Evaluation) -> dict[str, Any]:
    """``evaluation`` as a JSON object."""
    return {
        "architecture": evaluation.pair.architecture,
        "accelerator": config_values(evaluation.pair.accelerator),
        "cycles": evaluation.cycles,
        "cycles_tier": evaluation.tier.value,
        "accuracy": evaluation.accuracy,
        "accuracy_tier": evaluation.accuracy_tier,
    }


def evaluation_from_values(values: dict[str, Any]) -> Evaluation:
    """The inverse of ``evaluation_values``."""
    return Evaluation(
        pair=Pair(values["architecture"], config_from_values(values["accelerator"])),
        tier=Tier(values["cycles_tier"]),
        cycles=values["cycles"],
        accuracy=values["accuracy"],
        accuracy_tier=values["accuracy_tier"],
    )


def read_evaluations(path: Path) -> list[Evaluation]:
    """The finished evaluations in ``path``; a last line that an interruption left torn is not one."""
    return [evaluation_from_values(json.loads(line)) for line in _whole_lines(path).splitlines()]


def _whole_lines(path: Path) -> bytes:
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1]


class EvaluationLog:
    """Evaluations by pair and tier: those in ``path``, and new ones appended to it as they finish.

    Raises InputError where another process appends to ``path``.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise InputError(f"resume: another search is writing {path}") from error
        self._evaluations = {(found.pair, found.tier): found for found in read_evaluations(path)}
        self._file.truncate(len(_whole_lines(path)))

    def find(self, pair: Pair, tier: Tier) -> Evaluation | None:
        """The evaluation of ``pair`` at ``tier``, or None."""
        return self._evaluations.get((pair, tier))

    def append(self, evaluation: Evaluation) -> None:
        """Keep ``evaluation``; it is on disk when this returns."""
        self._file.write(json.dumps(evaluation_values(evaluation)).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._evaluations[evaluation.pair, evaluation.tier] = evaluation

    def __len__(self) -> int:
        return len(self._evaluations)

    def __iter__(self) -> Iterator[Evaluation]:
        return iter(self._evaluations.values())

    def close(self) -> None:
        """Let another process append."""
        self._file.close()
