"""The settings of a search, as the user gave them: checked once, and kept in the run directory."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from flows.files import write_json
from flows.implement.ecp5.devices import Device
from flows.pairs.constraints import Constraint, fitted_device, parse_constraint
from flows.pairs.objectives import BESIDE_ACCURACY, Objectives
from hwgen.errors import InputError
from nas.strategies import StrategyName

FILE_NAME = "settings.json"


class Oracle(StrEnum):
    """Which oracle a search asks for accuracies."""

    TABULAR = "tabular"
    NASWOT = "zero-cost-naswot"
    SYNFLOW = "zero-cost-synflow"
    SUPERNET = "supernet"
    TRAINED = "trained"
    TRAINED_QUANTISED = "trained-int8"

    @property
    def scores(self) -> bool:
        """Whether its answers only rank: they are no fractions of images."""
        return self in (Oracle.NASWOT, Oracle.SYNFLOW)


class Depth(StrEnum):
    """How far the front's accelerators are implemented on the device that they are to fit."""

    MODELLED = "modelled"
    """Not at all."""
    SYNTHESISED = "synthesised"
    ROUTED = "routed"
    """Placed and routed after synthesis: half an hour or more each."""


class Hardware(StrEnum):
    """What a search measures cycles on."""

    RTL = "rtl"
    """Simulation of the accelerator, with a memory of latency 32."""
    BOARD = "board"
    """A board over its serial port, with memory on the chip."""


@dataclass(frozen=True)
class Settings:
    """Everything that a search depends on; the same settings give the same search."""

    space: str = "nasbench201"
    dataset: str = "digits"
    data_dir: str | None = None
    """Where the data set's files lie; the directory named by COSYNTH_DATA where None."""
    accuracy: Oracle = Oracle.SUPERNET
    strategy: StrategyName = StrategyName.OPTIMIST
    budget: int = 800
    """Pairs proposed."""
    population: int = 40
    """Pairs proposed between two measurements of the front; a generation of the strategies that have generations."""
    builds: int = 8
    """Accelerators built and simulated."""
    constraints: tuple[str, ...] = ()
    objectives: tuple[str, ...] = BESIDE_ACCURACY
    """Metrics that pairs are compared by beside accuracy."""
    clock_mhz: float = 100.0
    implement: Depth = Depth.MODELLED
    hardware: Hardware = Hardware.RTL
    port: str | None = None
    """Serial port of the board; a simulated board for each accelerator where None."""
    loader: str | None = None
    """Command that makes the board at ``port`` carry an accelerator, run with the path of its TOML file."""
    supernet_epochs: int | None = None
    """The data set's recipe where None."""
    oracle_epochs: int | None = None
    """Of each network that the oracle trains; the data set's recipe where None."""
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
        if self.hardware is not Hardware.BOARD and (self.port or self.loader):
            raise InputError("port: only a board has one; accepted: --hardware board, or neither --port nor --loader")
        if (self.port is None) != (self.loader is None):
            raise InputError("loader: a search measures many accelerators; accepted: --port and --loader, or neither")
        if self.implement is not Depth.MODELLED and self.device is None:
            raise InputError("implement: no device is named; accepted: --constraint fits=DEVICE beside it")
        self._require("verified_images", self.verified_images >= 1, "at least 1")
        self._require("seed", self.seed >= 0, "at least 0")
        for name in ("supernet_epochs", "oracle_epochs", "training_epochs"):
            value = getattr(self, name)
            self._require(name, value is None or value >= 1, "at least 1")
        self.parsed_objectives()
        bounded = [constraint for constraint in self.parsed_constraints() if constraint.metric == "accuracy"]
        if bounded and self.accuracy.scores:
            raise InputError(
                f"constraint: {bounded[0]} bounds a fraction, and {self.accuracy} only ranks networks; "
                "accepted: constraints on other metrics, or another oracle (--accuracy)"
            )

    def _require(self, name: str, holds: bool, accepted: str) -> None:
        if not holds:
            raise InputError(f"{name}: {getattr(self, name)} is out of range; accepted: {accepted}")

    def parsed_constraints(self) -> tuple[Constraint, ...]:
        """The constraints; InputError where one is malformed."""
        return tuple(parse_constraint(text) for text in self.constraints)

    def parsed_objectives(self) -> Objectives:
        """The objectives; InputError where one is not accepted."""
        return Objectives(self.clock_mhz, self.objectives)

    @property
    def device(self) -> Device | None:
        """The device that pairs are to fit; the first one where several are named."""
        devices = (fitted_device(text) for text in self.constraints)
        return next((device for device in devices if device is not None), None)

    @property
    def selection_seed(self) -> int:
        """Of the networks that are trained or scored to choose among them; never that of a network that is reported."""
        return 2 * self.seed

    @property
    def reporting_seed(self) -> int:
        """Of the chosen network's training."""
        return 2 * self.seed + 1

    @property
    def data_directory(self) -> Path | None:
        return None if self.data_dir is None else Path(self.data_dir)

    def save(self, run: Path) -> None:
        """Keep the settings in the run directory ``run``."""
        write_json(run / FILE_NAME, asdict(self))


_WORDS: dict[Any, str] = {
    str: "a string",
    str | None: "a string or null",
    int: "an integer",
    int | None: "an integer or null",
    float: "a number",
    tuple[str, ...]: "a list of strings",
    Depth: ", ".join(Depth),
    Hardware: ", ".join(Hardware),
    Oracle: ", ".join(Oracle),
    StrategyName: ", ".join(StrategyName),
}
"""What ``settings.json`` may hold for a field of each type."""


def load_settings(run: Path) -> Settings:
    """The settings of the run directory ``run``. Raises InputError where it is none, or a setting is bad."""
    path = run / FILE_NAME
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"run: {run} is not a run directory of cosynth search ({FILE_NAME} is not readable)"
        ) from error
    types = get_type_hints(Settings)
    if not isinstance(values, dict) or set(values) - set(types):
        raise InputError(f"run: {path} has settings that this version does not know")
    try:
        return Settings(**{name: _read(name, types[name], value) for name, value in values.items()})
    except InputError as error:
        raise InputError(f"run: {path} has {error}") from error


def _read(name: str, type_: Any, value: Any) -> Any:
    """The setting of ``type_`` that the JSON value stands for. Raises InputError where it stands for none."""
    try:
        return _converted(type_, value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name}: {value!r} is not accepted; accepted: {_WORDS[type_]}") from error


def _converted(type_: Any, value: Any) -> Any:
    if get_origin(type_) is UnionType:
        return None if value is None else _converted(get_args(type_)[0], value)
    if get_origin(type_) is tuple:
        return tuple(_converted(str, item) for item in _converted(list, value))
    if issubclass(type_, StrEnum):
        return type_(value)
    if type_ is float and type(value) is int:
        return float(value)
    if type(value) is not type_:
        raise TypeError
    return value
