"""The settings of a search, as the user gave them: checked once, and kept in the run directory."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path

from flows.constraints import Constraint, parse_constraint
from flows.files import write_json
from hwgen.errors import InputError

FILE_NAME = "settings.json"


class Oracle(StrEnum):
    """Which oracle a search asks for accuracies."""

    SUPERNET = "supernet"
    TABULAR = "tabular"


class Strategy(StrEnum):
    """How pairs are proposed."""

    NSGA2 = "nsga2"


@dataclass(frozen=True)
class Settings:
    """Everything that a search depends on; the same settings give the same search."""

    space: str = "nasbench201"
    dataset: str = "digits"
    data_dir: str | None = None
    """Where the data set's files lie; the directory named by COSYNTH_DATA where None."""
    accuracy: Oracle = Oracle.SUPERNET
    strategy: Strategy = Strategy.NSGA2
    budget: int = 800
    """Pairs proposed."""
    population: int = 40
    builds: int = 8
    """Accelerators built and simulated."""
    constraints: tuple[str, ...] = ()
    clock_mhz: float = 100.0
    supernet_epochs: int | None = None
    """The data set's recipe where None."""
    training_epochs: int | None = None
    """Of the chosen network; the data set's recipe where None."""
    verified_images: int = 32
    """Test images that the chosen pair classifies in RTL simulation."""
    seed: int = 0

    def __post_init__(self) -> None:
        self._require("population", self.population >= 4, "at least 4")
        self._require("budget", self.budget >= self.population, f"at least the population, {self.population}")
        self._require("builds", self.builds >= 1, "at least 1")
        self._require("clock_mhz", 0 < self.clock_mhz < float("inf"), "a positive number")
        self._require("verified_images", self.verified_images >= 1, "at least 1")
        self._require("seed", self.seed >= 0, "at least 0")
        for name in ("supernet_epochs", "training_epochs"):
            value = getattr(self, name)
            self._require(name, value is None or value >= 1, "at least 1")
        self.parsed_constraints()

    def _require(self, name: str, holds: bool, accepted: str) -> None:
        if not holds:
            raise InputError(f"{name}: {getattr(self, name)} is out of range; accepted: {accepted}")

    def parsed_constraints(self) -> tuple[Constraint, ...]:
        """The constraints; InputError where one is malformed."""
        return tuple(parse_constraint(text) for text in self.constraints)

    @property
    def generations(self) -> int:
        return self.budget // self.population

    @property
    def data_directory(self) -> Path | None:
        return None if self.data_dir is None else Path(self.data_dir)

    def save(self, run: Path) -> None:
        """Keep the settings in the run directory ``run``."""
        write_json(run / FILE_NAME, asdict(self))


def load_settings(run: Path) -> Settings:
    """The settings of the run directory ``run``. Raises InputError where it is none."""
    try:
        values = json.loads((run / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            f"run: {run} is not a run directory of cosynth search ({FILE_NAME} is not readable)"
        ) from error
    known = {field.name for field in fields(Settings)}
    if not isinstance(values, dict) or set(values) - known:
        raise InputError(f"run: {run / FILE_NAME} has settings that this version does not know")
    values["constraints"] = tuple(values.get("constraints", ()))
    values["accuracy"] = Oracle(values.get("accuracy", Settings.accuracy))
    values["strategy"] = Strategy(values.get("strategy", Settings.strategy))
    return Settings(**values)
