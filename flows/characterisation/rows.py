"""Rows: what accelerators came to, one JSON object a line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.accelerators import accelerator_summary, config_from_values, config_values
from flows.characterisation.plan import Point
from flows.implement.ecp5.devices import find_device
from flows.line_log import LineFormat, read_records

ROWS = Path(__file__).with_name("ecp5.jsonl")
"""Those that the models are fitted on."""


@dataclass(frozen=True)
class Cells:
    """Cells of a component after synthesis, before place and route."""

    lut: int
    ff: int
    dsp: int
    bram: int
    distributed_ram: int
    """Each of which is six of the LUTs."""


@dataclass(frozen=True)
class Routed:
    """An accelerator placed and routed."""

    fmax_mhz: float
    critical_path: str
    """Its ends, by component."""
    lut: int
    ff: int
    speed_grade: int
    placer: str
    seed: int


@dataclass(frozen=True)
class Made:
    """What a row was made of and with; what is of anything else is stale."""

    verilog: str
    """SHA-256 of the accelerator's Verilog."""
    tools: dict[str, str]
    """Versions by name."""


@dataclass(frozen=True)
class Row:
    """A point and what it came to."""

    point: Point
    made: Made
    components: dict[str, Cells]
    """The boundary's cells among them."""
    known: dict[str, int]
    """What ``flows.implement.ecp5.resources`` said before synthesis: cells by field of ``Cells``."""
    routed: Routed | None
    """None where it was only synthesised: resources are then post-synthesis ones, and there is no clock."""
    refused: str | None
    """Why it cannot be placed and routed: it does not fit the device, or took too long."""
    seconds: dict[str, float]

    @property
    def stage(self) -> str:
        """How far it was implemented."""
        return "post-synthesis" if self.routed is None else "placed and routed"

    def total(self, resource: str) -> int:
        """Cells of all components after synthesis; ``resource`` is a field of ``Cells``."""
        return sum(getattr(cells, resource) for cells in self.components.values())


def row_summary(row: Row) -> str:
    """What ``row`` says, in a line."""
    clock = f", {row.routed.fmax_mhz:.1f} MHz" if row.routed else f", {row.refused}" if row.refused else ""
    return (
        f"{accelerator_summary(row.point.config)} on {row.point.device.name}: {row.total('lut'):,} LUTs, "
        f"{row.total('ff'):,} flip-flops{clock}; {sum(row.seconds.values()):.0f} s"
    )


def row_values(row: Row) -> dict[str, Any]:
    """``row`` as a JSON object."""
    return {
        "stage": row.stage,
        "accelerator": config_values(row.point.config),
        "device": row.point.device.name,
        "multipliers": row.point.multipliers,
        "components": {name: asdict(cells) for name, cells in row.components.items()},
        "known": row.known,
        "routed": None if row.routed is None else asdict(row.routed),
        "refused": row.refused,
        "seconds": row.seconds,
        **asdict(row.made),
    }


def row_from_values(values: dict[str, Any]) -> Row:
    """The inverse of ``row_values``; KeyError, TypeError or ValueError where ``values`` are not its result."""
    return Row(
        Point(config_from_values(values["accelerator"]), find_device(values["device"]), int(values["multipliers"])),
        Made(values["verilog"], dict(values["tools"])),
        {name: Cells(**cells) for name, cells in values["components"].items()},
        dict(values["known"]),
        None if values["routed"] is None else Routed(**values["routed"]),
        values["refused"],
        dict(values["seconds"]),
    )


ROW_LINES = LineFormat(
    read=row_from_values,
    damaged="output: {line}; accepted: lines as written",
    busy="output: another characterisation is writing {path}",
)


def read_rows(path: Path) -> dict[Point, Row]:
    """The last row of each point in ``path``. Raises InputError where a line is damaged."""
    return {row.point: row for row in read_records(path, ROW_LINES)}
