"""Every finished evaluation on disk, one JSON object a line: what an interrupted search resumes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any

from flows.accelerators import config_from_values, config_values
from flows.line_log import LineFormat, LineLog, read_records
from flows.pairs.evaluation import ENERGY_TABLE, Cost, Evaluation, Pair, Tier
from flows.stopwatch import Spent
from nas.accuracy import AccuracyTier

EVALUATIONS = "evaluations.jsonl"
"""The log's name in a run directory."""
UNRECORDED = "not recorded"
"""Provenance of the accuracies in runs from before it was kept."""


def evaluation_values(evaluation: Evaluation) -> dict[str, Any]:
    """``evaluation`` as a JSON object."""
    return {
        "architecture": evaluation.pair.architecture,
        "accelerator": config_values(evaluation.pair.accelerator),
        "tier": evaluation.tier.value,
        "cycles": evaluation.cycles,
        "cycles_tier": evaluation.cycles_tier.value,
        "energy_uj": evaluation.energy_uj,
        "energy_table": ENERGY_TABLE.name,
        "macs": evaluation.macs,
        "accuracy": evaluation.accuracy,
        "accuracy_tier": evaluation.accuracy_tier.value,
        "accuracy_provenance": evaluation.accuracy_provenance,
        "wall_seconds": None if evaluation.spent is None else evaluation.spent.wall_seconds,
        "cpu_seconds": None if evaluation.spent is None else evaluation.spent.cpu_seconds,
    }


def evaluation_from_values(values: dict[str, Any]) -> Evaluation:
    """The inverse of ``evaluation_values``; KeyError, TypeError or ValueError where ``values`` are not its result."""
    return Evaluation(
        pair=Pair(_typed(values, "architecture", str), config_from_values(values["accelerator"])),
        tier=_tier(values),
        cost=_cost(values),
        accuracy=_typed(values, "accuracy", int | float),
        accuracy_tier=AccuracyTier(values["accuracy_tier"]),
        accuracy_provenance=_typed({"accuracy_provenance": UNRECORDED, **values}, "accuracy_provenance", str),
        macs=_typed({"macs": None, **values}, "macs", int | None),
        spent=_spent(values),
    )


def _tier(values: dict[str, Any]) -> Tier:
    """Logs from before pairs were screened name the cycles' tier alone."""
    cycles_tier = Tier(values["cycles_tier"])
    return Tier(values.get("tier", cycles_tier))


def _cost(values: dict[str, Any]) -> Cost | None:
    cycles = _typed(values, "cycles", int | float | None)
    energy_uj = _typed({"energy_uj": None, **values}, "energy_uj", int | float | None)
    return None if cycles is None else Cost(cycles, energy_uj)


def _spent(values: dict[str, Any]) -> Spent | None:
    if values.get("wall_seconds") is None:
        return None
    return Spent(*(_typed(values, name, int | float) for name in ("wall_seconds", "cpu_seconds")))


def _typed(values: dict[str, Any], name: str, accepted: type | UnionType) -> Any:
    if not isinstance(values[name], accepted):
        raise TypeError(f"{name}: {values[name]!r}")
    return values[name]


EVALUATION_LINES = LineFormat(
    read=evaluation_from_values,
    damaged="run: {line}; accepted: lines as written",
    busy="resume: another search is writing {path}",
)


def read_evaluations(path: Path) -> list[Evaluation]:
    """The finished evaluations in ``path``; a last line that an interruption left torn is not one.

    Raises InputError where another line is damaged.
    """
    return read_records(path, EVALUATION_LINES)


class EvaluationLog:
    """The evaluations in ``path``, in order, and new ones appended to it as they finish.

    A pair whose accuracy was asked for later is there twice on its tier, at first without. Raises InputError where
    another process appends to ``path``, or a line of it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._log = LineLog(path, EVALUATION_LINES)
        self._evaluations = list(self._log.found)

    def append(self, evaluation: Evaluation) -> None:
        """Keep ``evaluation``; it is on disk when this returns."""
        self._log.append(evaluation_values(evaluation))
        self._evaluations.append(evaluation)

    def __len__(self) -> int:
        return len(self._evaluations)

    def __iter__(self) -> Iterator[Evaluation]:
        return iter(self._evaluations)

    def close(self) -> None:
        """Let another process append."""
        self._log.close()
