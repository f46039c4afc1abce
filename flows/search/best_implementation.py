"""What the chosen pair's accelerator comes to on the device that it is to fit: as modelled, and as implemented."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from flows.characterisation.job import implement_point
from flows.characterisation.models import Resources, resource_model
from flows.characterisation.plan import Point
from flows.characterisation.rows import Row, row_values
from flows.files import write_json
from flows.implement.ecp5.devices import Device
from flows.progress import shown_on
from flows.search.settings import Depth
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError

FILE_NAME = "implementation.json"
POST_SYNTHESIS, ROUTED = "post-synthesis", "placed and routed"


def implement_best(run: Path, config: AcceleratorConfig, device: Device, depth: Depth, console: Console) -> None:
    """Write ``implementation.json`` into ``run`` unless it is there: resources modelled, those found, and their ratio.

    Raises ImplementationError where a tool fails.
    """
    if (run / FILE_NAME).exists():
        return
    point = Point(config, device, device.dsp)
    row = None
    if depth is not Depth.MODELLED:
        with console.status(f"the chosen accelerator on {device.name}") as status:
            row = implement_point(point, depth is Depth.ROUTED, shown_on(status))
    write_json(run / FILE_NAME, _values(point, row))


def _values(point: Point, row: Row | None) -> dict[str, Any]:
    model = resource_model()
    modelled = model.resources(point)
    values: dict[str, Any] = {
        "device": point.device.name,
        "modelled": asdict(modelled),
        "model": f"LUTs and flip-flops fitted on {model.rows} synthesised accelerators; the others are known",
    }
    if row is None:
        return values
    found = {name: row.total(name) for name in asdict(modelled)}
    return values | {
        "found": found,
        "found_is": POST_SYNTHESIS,
        "modelled_over_found": {name: value / found[name] for name, value in asdict(modelled).items()},
        "row": row_values(row),
    }


def implementation_lines(run: Path, clock_mhz: float, cycles: float) -> list[str]:
    """What ``implementation.json`` in ``run`` says, for people; nothing where there is none."""
    path = run / FILE_NAME
    if not path.exists():
        return []
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        lines = [_resource_line(f"modelled on {values['device']}", Resources(**values["modelled"]))]
        if "found" in values:
            lines.append(_resource_line(values["found_is"], Resources(**values["found"])))
            routed, refused = values["row"]["routed"], values["row"]["refused"]
            if refused is not None:
                lines.append(f"not placed and routed: {refused}")
            if routed is not None:
                latency = cycles / (routed["fmax_mhz"] * 1000)
                lines.append(
                    f"{ROUTED}: {routed['fmax_mhz']:.1f} MHz, {latency:.4g} ms for an inference; the search took it to "
                    f"run at {clock_mhz:g} MHz"
                )
        return lines
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"run: {path} is damaged ({error!r}); delete it to have it made again") from error


def _resource_line(what: str, resources: Resources) -> str:
    return (
        f"{what}: {resources.lut:,.0f} LUTs, {resources.ff:,.0f} flip-flops, {resources.dsp} multipliers, "
        f"{resources.bram} block memories"
    )
