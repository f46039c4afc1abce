"""Every finished evaluation on disk, one JSON object a line: what an interrupted search resumes from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.accelerators import config_from_values, config_values
from flows.evaluation import Evaluation, Pair, Tier


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


class EvaluationLog:
    """Evaluations by pair and tier, appended to ``path`` as they finish; what ``path`` holds already is read first.

    A last line that an interruption left torn is dropped.
    """

    def __init__(self, path: Path) -> None:
        self._evaluations: dict[tuple[Pair, Tier], Evaluation] = {}
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.splitlines():
            self._remember(evaluation_from_values(json.loads(line)))
        self._file = path.open("ab")
        self._file.truncate(len(whole))

    def _remember(self, evaluation: Evaluation) -> None:
        self._evaluations[evaluation.pair, evaluation.tier] = evaluation

    def find(self, pair: Pair, tier: Tier) -> Evaluation | None:
        """The evaluation of ``pair`` at ``tier``, or None."""
        return self._evaluations.get((pair, tier))

    def append(self, evaluation: Evaluation) -> None:
        """Keep ``evaluation``; it is on disk when this returns."""
        self._file.write(json.dumps(evaluation_values(evaluation)).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._remember(evaluation)

    def __len__(self) -> int:
        return len(self._evaluations)

    def __iter__(self) -> Iterator[Evaluation]:
        return iter(self._evaluations.values())

    def close(self) -> None:
        self._file.close()
