"""``cosynth characterise``: the points of the plan implemented, some side by side; what is known is not done again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing
from hashlib import sha256
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from threading import Event

from rich.console import Console

from flows.accelerators import accelerator_summary
from flows.characterisation.plan import Point, plan
from flows.characterisation.rows import ROW_LINES, Cells, Made, Routed, Row, row_summary, row_values
from flows.implement.ecp5.devices import refuse_oversized
from flows.implement.ecp5.job import TOOLS, component_values
from flows.implement.ecp5.place_and_route import place_and_route
from flows.implement.ecp5.resources import block_memories, multipliers
from flows.implement.ecp5.synthesis import synthesise
from flows.implement.netlist import Netlist
from flows.line_log import LineLog
from flows.progress import shown_on
from flows.tools import ImplementationError, Watch
from hwgen.errors import InputError
from hwgen.verilog import emit

SPEED_GRADE = 6
SEED = 1
"""Of placement."""
PATIENCE_SECONDS = 2 * 3600
"""Of place and route: the router does not come to an end on every accelerator."""


class PatienceLost(Exception):
    """Place and route takes too long; the message says so."""


class Interrupted(Exception):
    """The rows are no longer wanted."""


def add_rows(path: Path, seed: int, count: int, largest_array: int, route: bool, jobs: int, console: Console) -> None:
    """Have rows of the plan's first ``count`` points whose arrays have at most ``largest_array`` multipliers.

    Rows are appended to ``path`` as they are found, ``jobs`` points at a time. One that is there already, of the same
    Verilog by the same tools, is not made again. ``route``: place and route after synthesis. Raises InputError where
    ``path`` is damaged or being written. A point that a tool fails on has no row.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    points = list(islice(small_points(seed, largest_array), count))
    interrupted = Event()
    with closing(LineLog(path, ROW_LINES)) as log, console.status("") as status:
        known = {row.point: row for row in log.found}
        shown = shown_on(status)

        def watch(line: str) -> None:
            if interrupted.is_set():
                raise Interrupted
            shown(line)

        def make(point: Point) -> Row | None:
            watch(f"{accelerator_summary(point.config)} on {point.device.name}")
            row = known.get(point)
            far_enough = row is not None and (row.routed or row.refused or not route)
            if row is not None and far_enough and row.made == _made(emit(point.config)):
                return None
            return implement_point(point, route, watch)

        with ThreadPoolExecutor(jobs) as pool:
            numbers = {pool.submit(make, point): number for number, point in enumerate(points, 1)}
            try:
                for future in as_completed(numbers):
                    _keep(future, f"{numbers[future]}/{count}", log, console)
            except BaseException:
                interrupted.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _keep(made: Future[Row | None], number: str, log: LineLog[Row], console: Console) -> None:
    """Append what was made of a point, and say so; only say so where a tool failed on it."""
    try:
        row = made.result()
    except ImplementationError as error:
        console.print(f"{number} left out: {error}", soft_wrap=True, highlight=False, markup=False)
        return
    if row is not None:
        log.append(row_values(row))
        console.print(f"{number} {row_summary(row)}", soft_wrap=True, highlight=False)


def small_points(seed: int, largest_array: int) -> Iterator[Point]:
    """Those of the plan whose arrays have at most ``largest_array`` multipliers."""
    return (point for point in plan(seed) if point.config.multipliers <= largest_array)


def implement_point(point: Point, route: bool, watch: Watch) -> Row:
    """What ``point`` comes to: synthesised, and where ``route``, placed and routed. Raises ImplementationError."""
    netlist = synthesise(point.config, point.multipliers, watch)
    made = _made(netlist.verilog)
    components = {name: Cells(**component_values(cells)) for name, cells in netlist.components().items()}
    known = {"dsp": multipliers(point.config, point.multipliers), "bram": block_memories(point.config)}
    seconds = {"synthesis": netlist.synth_seconds}
    routed, refused = None, None
    try:
        if route:
            routed, seconds["place_and_route"] = _route(point, netlist, watch)
        else:
            refuse_oversized(point.device, netlist.cells)
    except (InputError, PatienceLost) as error:
        refused = str(error)
    return Row(point, made, components, known, routed, refused, seconds)


def _made(verilog: str) -> Made:
    return Made(sha256(verilog.encode()).hexdigest(), {tool: version(tool) for tool in TOOLS})


def _route(point: Point, netlist: Netlist, watch: Watch) -> tuple[Routed, float]:
    """The accelerator placed and routed, and the seconds that it took.

    Raises InputError where it does not fit, PatienceLost where that takes more than ``PATIENCE_SECONDS``.
    """
    result = place_and_route(netlist, point.device, SPEED_GRADE, SEED, _impatient(watch, PATIENCE_SECONDS))
    path = result.critical_path
    ends = f"{path.start} to {path.end}"
    return Routed(
        result.fmax_mhz, ends, result.lut.used, result.ff.used, SPEED_GRADE, result.placer, result.seed
    ), result.seconds


def _impatient(watch: Watch, seconds: float) -> Watch:
    """``watch``, which raises PatienceLost at what is said ``seconds`` from now or later."""
    deadline = time.monotonic() + seconds

    def impatient(line: str) -> None:
        if time.monotonic() >= deadline:
            raise PatienceLost(f"place and route did not end within {seconds / 60:.0f} minutes")
        watch(line)

    return impatient
