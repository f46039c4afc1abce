"""The board as the search's oracle of cycles: each pair is measured on a board, over its serial port."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from flows.accelerators import config_values
from flows.board.driver import run_program
from flows.board.link import BoardLinkError, open_link
from hwgen.board.config import BoardConfig
from hwgen.config import AcceleratorConfig
from hwgen.program import Program
from sim.board import simulated_board
from sim.execution import Execution

SIMULATED_TIMEOUT = 60.0
"""Seconds for an answer: a simulation may have to share the machine."""


def measure_on_simulated_board(program: Program, inputs: np.ndarray) -> Execution:
    """Run ``inputs`` on a simulated board that carries the program's accelerator.

    Raises PlacementError where its memory is too small, BoardLinkError.
    """
    with simulated_board(BoardConfig(program.config)) as port:
        with open_link(port, BoardConfig.baud, SIMULATED_TIMEOUT) as link:
            return run_program(link, program, inputs)


class BoardOracle:
    """Measures on the board at ``port``.

    A search goes from accelerator to accelerator, and a board carries one: ``loader`` is a command that makes it carry
    another, run with the path of that accelerator's TOML file.
    """

    def __init__(self, port: str, loader: str, timeout: float = 2.0) -> None:
        self._port, self._loader, self._timeout = port, loader, timeout
        self._carried: AcceleratorConfig | None = None

    def __call__(self, program: Program, inputs: np.ndarray) -> Execution:
        """Run ``inputs`` on the program's accelerator.

        Raises PlacementError where the board's memory is too small, BoardLinkError where the board or the loader fails.
        """
        if self._carried != program.config:
            self._carried = None
            self._load(program.config)
            self._carried = program.config
        with open_link(self._port, BoardConfig.baud, self._timeout) as link:
            return run_program(link, program, inputs)

    def _load(self, config: AcceleratorConfig) -> None:
        with tempfile.TemporaryDirectory(prefix="cosynth-") as directory:
            path = Path(directory) / "accelerator.toml"
            lines = (f"{name} = {json.dumps(value)}\n" for name, value in config_values(config).items())
            path.write_text("".join(lines), encoding="utf-8")
            try:
                completed = subprocess.run([self._loader, str(path)], stdout=subprocess.DEVNULL)
            except OSError as error:
                raise BoardLinkError(f"loader: {self._loader} cannot be run: {error}") from error
        if completed.returncode != 0:
            raise BoardLinkError(f"loader: {self._loader} ended with status {completed.returncode}")
