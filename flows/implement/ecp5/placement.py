"""Placements of a design, by different placers and seeds, and which of them promises the fastest clock."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path

from flows.implement.ecp5.tools import run_nextpnr
from flows.tools import ImplementationError, Watch

PLACERS = {
    "static": ("--placer", "static"),
    # Spread out, wires are free to go straight.
    "heap": ("--placer", "heap", "--placer-heap-beta", "0.5"),
}
"""nextpnr's options by placer: wires by the first are 14 to 28 % shorter; the other finds sites where it finds none."""
PLACEMENTS = 3
"""Of which the most promising is routed, or where it cannot be, the next. Seeds differ by a third in that."""
NETLIST_FILE, PINS_FILE, PLACED_FILE = "netlist.json", "pins.lpf", "placed.json"
"""In a placement's directory: what was placed, where its ports lie, and where everything does."""
ESTIMATE = re.compile(r"Max frequency for clock .*: ([0-9.]+) MHz")


@dataclass(frozen=True)
class Placement:
    """A design whose cells have their sites."""

    directory: Path
    placer: str
    seed: int
    estimated_mhz: float
    """The clock by nextpnr's guess of how long wires take: too low, but it ranks placements about as routing does."""


def place(directory: Path, count: int, options: Sequence[str], seed: int, watch: Watch) -> list[Placement]:
    """``count`` placements of NETLIST_FILE and PINS_FILE in ``directory``, made side by side; the most promising first.

    By the first placer, each with the next seed; by the other where that one fails with them all. Where both do, raises
    the first one's ImplementationError.
    """
    errors: list[ImplementationError] = []
    for placer in PLACERS:
        placements, failed = _by_placer(directory, placer, options, range(seed, seed + count), watch)
        if placements:
            return sorted(placements, key=lambda placement: -placement.estimated_mhz)
        errors += failed
    raise errors[0]


def _by_placer(
    directory: Path, placer: str, options: Sequence[str], seeds: Sequence[int], watch: Watch
) -> tuple[list[Placement], list[ImplementationError]]:
    """The placements by ``seeds``, and the errors of those that failed."""

    def attempt(seed: int) -> Placement | ImplementationError:
        try:
            return _placement(directory, placer, options, seed, watch)
        except ImplementationError as error:
            return error

    with ThreadPoolExecutor(min(len(seeds), cpu_count() or 1)) as pool:
        found = list(pool.map(attempt, seeds))
    placements = [each for each in found if isinstance(each, Placement)]
    return placements, [each for each in found if isinstance(each, ImplementationError)]


def _placement(directory: Path, placer: str, options: Sequence[str], seed: int, watch: Watch) -> Placement:
    """In a directory of its own in ``directory``. Raises ImplementationError."""
    own = directory / f"{placer}-{seed}"
    own.mkdir()
    for name in (NETLIST_FILE, PINS_FILE):
        shutil.copy(directory / name, own / name)
    estimates: list[float] = []

    def listen(line: str) -> None:
        estimates.extend(map(float, ESTIMATE.findall(line)))
        watch(line)

    files = ("--json", NETLIST_FILE, "--lpf", PINS_FILE, "--no-route", "--write", PLACED_FILE)
    run_nextpnr([*options, *PLACERS[placer], "--seed", str(seed), *files], own, listen)
    return Placement(own, placer, seed, estimates[-1])
