"""The simulated board: a board's whole RTL in Verilator, its serial line a pseudo-terminal."""

from __future__ import annotations

import os
import subprocess
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hwgen.board.config import BOARD_MODULE, LEAST_DIVISOR, BoardConfig
from sim.system import ACCELERATOR_FILE, HDL, HWGEN, generator_sources, kept_verilog
from sim.verilator import Design, build

HARNESS = Path(__file__).parent / "board_harness.cpp"


def board_sources() -> list[Path]:
    """Every module that a board's Verilog can depend on."""
    return [*generator_sources(), *sorted((HWGEN / "board").glob("*.py"))]


def board_verilog(config: BoardConfig) -> str:
    """Verilog of a board, kept in the cache."""

    def emitted() -> str:
        from hwgen.board.verilog import emit_board  # Amaranth takes longer to import than most simulations to start

        return emit_board(config)

    return kept_verilog(config, board_sources(), emitted)


def board_simulator(config: BoardConfig) -> Design:
    """The board's RTL with what clocks it and carries its serial line."""
    return Design(
        top=BOARD_MODULE,
        sources={
            "waivers.vlt": (HDL / "waivers.vlt").read_text(encoding="utf-8"),
            ACCELERATOR_FILE: board_verilog(config),
            HARNESS.name: HARNESS.read_text(encoding="utf-8"),
        },
    )


@contextmanager
def simulated_board(config: BoardConfig) -> Iterator[str]:
    """Run the board in simulation; gives the path of its pseudo-terminal, which stands for the USB serial port.

    The serial line takes as few cycles per bit as the board's receiver allows: simulated cycles are what waiting for
    it costs. Raises VerilatorError or SimulatorMissingError where there is no simulator to be had.
    """
    fast = replace(config, baud=config.clock_hz // LEAST_DIVISOR)
    executable = build(board_simulator(fast))
    line, port = os.openpty()
    try:
        tty.setraw(port)
        arguments = [f"+line={line}", f"+divisor={fast.divisor}"]
        with subprocess.Popen([executable, *arguments], pass_fds=[line], stdin=subprocess.DEVNULL) as simulation:
            try:
                # The port stays open here: a pseudo-terminal that nobody has open is at its end.
                yield os.ttyname(port)
            finally:
                simulation.kill()
    finally:
        os.close(line)
        os.close(port)
