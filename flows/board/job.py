"""``cosynth run``: a network on a board, every output byte compared with the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console

from flows.board.driver import BoardExecution, run_program
from flows.board.link import open_link
from flows.simulate.run import Run, run_values
from flows.simulate.table import print_summary
from hwgen.actions import action_counts
from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig
from hwgen.cycles import predict
from hwgen.graph import LayerGraph
from hwgen.reference import run


@dataclass(frozen=True, eq=False)
class BoardRun(Run):
    """A network run on a board, beside what it should have computed."""

    execution: BoardExecution


def run_on_board(
    graph: LayerGraph, config: AcceleratorConfig, inputs: np.ndarray, port: str, baud: int, timeout: float
) -> BoardRun:
    """Run ``graph`` on ``inputs`` (int8 [N, H, W, C]) on the board at ``port`` and compute the reference's outputs.

    Raises BoardLinkError where the board does not answer within ``timeout`` seconds, or not as it should.
    """
    program = compile_graph(graph, config)
    with open_link(port, baud, timeout) as link:
        execution = run_program(link, program, inputs)
    prediction, actions = predict(program, execution.memory), action_counts(program)
    return BoardRun(graph, config, execution, prediction, actions, run(graph, inputs))


def board_values(board_run: BoardRun) -> dict[str, Any]:
    """The report as JSON values: ``run_values``, and the time that the board's clock makes of the cycles."""
    clock_hz = board_run.execution.clock_hz
    return {
        **run_values(board_run),
        "clock_mhz": clock_hz / 1e6,
        "latency_ms": board_run.execution.cycles / clock_hz * 1e3,
    }


def print_board_run(values: dict[str, Any], console: Console) -> None:
    """``board_values`` for people."""
    accelerator = values["accelerator"]
    console.print(
        f"{values['network']} on {accelerator['rows']}x{accelerator['cols']}, measured on the board: "
        f"{values['cycles']:,} cycles, {values['utilization']:.1%} of peak; "
        f"{values['latency_ms']:.3f} ms at {values['clock_mhz']:g} MHz",
        highlight=False,
    )
    print_summary(values, console)
