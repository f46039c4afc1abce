"""``cosynth experiment end-to-end``: one search, and its chosen pair from the constraints to the bitstream."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from flows.experiments.end_to_end import end_to_end_values
from flows.experiments.end_to_end_plot import end_to_end_png
from flows.experiments.end_to_end_report import end_to_end_page
from flows.files import write_json
from flows.implement.ecp5.job import run_implementation
from flows.implement.ecp5.placement import PLACEMENTS
from flows.pairs.evaluation_log import EVALUATIONS, read_evaluations
from flows.search.front_implementation import require_tools
from flows.search.job import run_search
from flows.search.results import BEST, Results, load_results
from flows.search.results import FILE_NAME as RESULTS
from flows.search.settings import FILE_NAME as SETTINGS
from flows.search.settings import Depth, Settings, load_settings
from flows.search.stages import Stage, stage_costs, timed
from hwgen.errors import InputError
from hwgen.files import write_bytes
from nas.data import load_dataset

RUN = "run"
"""The search's run directory in the experiment's."""
BITSTREAM = "bitstream"
"""What ``cosynth implement`` makes of the chosen pair's accelerator, there too."""
VERILOG = "accelerator.v"
SPEED_GRADE = 6
PLACEMENT_SEED = 1


def run_end_to_end(directory: Path, settings: Settings, depth: Depth, console: Console) -> str:
    """Search by ``settings`` and write ``end-to-end.md``, ``.png`` and ``.json`` into ``directory``; returns the page.

    ``depth`` is how far the chosen pair's accelerator is implemented; placed and routed, it comes with its bitstream.
    The files are written when the search ends, and anew with the bitstream; what ``directory`` has is not made again.
    Raises InputError where it has a search of other settings, and what ``run_search`` and ``run_implementation`` do.
    """
    require_tools(depth)
    run = directory / RUN
    if (run / SETTINGS).exists() and load_settings(run) != settings:
        raise InputError(
            f"output: {directory} has an experiment with other options ({run / SETTINGS}); "
            "accepted: the same options, or another directory"
        )
    results = load_results(run) if (run / RESULTS).exists() else run_search(run, settings, console)
    page = _write(directory, settings, results)
    if depth is Depth.ROUTED and not (directory / BITSTREAM).exists():
        _place_and_route(directory, settings, results, console)
        page = _write(directory, settings, results)
    return page


def _place_and_route(directory: Path, settings: Settings, results: Results, console: Console) -> None:
    assert settings.device is not None and results.best is not None
    accelerator, device = results.best.pair.accelerator, settings.device
    with timed(directory, Stage.IMPLEMENTATION):
        run_implementation(
            directory / BITSTREAM, accelerator, device, device.dsp, SPEED_GRADE, PLACEMENT_SEED, PLACEMENTS, console
        )


def _write(directory: Path, settings: Settings, results: Results) -> str:
    run = directory / RUN
    values = end_to_end_values(
        run,
        settings,
        results,
        read_evaluations(run / EVALUATIONS),
        len(load_dataset(settings.dataset, settings.data_directory).train),
        _bitstream_report(directory),
        stage_costs(directory).get(Stage.IMPLEMENTATION),
    )
    page = end_to_end_page(values)
    write_json(directory / "end-to-end.json", values)
    write_bytes(directory / "end-to-end.md", page.encode())
    write_bytes(directory / "end-to-end.png", end_to_end_png(values))
    return page


def _bitstream_report(directory: Path) -> dict[str, Any] | None:
    """What ``cosynth implement`` reported; InputError where it was not of the pair's Verilog."""
    made, simulated = directory / BITSTREAM, directory / RUN / BEST
    if not made.exists():
        return None
    if (made / VERILOG).read_bytes() != (simulated / VERILOG).read_bytes():
        raise InputError(
            f"output: {made} is of another accelerator than {simulated}; delete it to have the bitstream made again"
        )
    return json.loads((made / "implementation.json").read_text(encoding="utf-8"))
