"""``cosynth run`` and ``cosynth board``: networks on a board, and a simulated one to run them on."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack, suppress
from typing import Annotated

import typer
from rich.console import Console

from flows.files import refuse_unwritable, write_array
from flows.network import load_network
from flows.options import (
    Accelerator,
    AsJson,
    InputFile,
    InputSeed,
    Network,
    OutputFile,
    Overrides,
    Samples,
    SizedFor,
    result_console,
)
from flows.simulate.job import random_inputs, read_inputs
from flows.simulate.run import refuse_mismatches
from hwgen.board.config import BoardConfig
from hwgen.config import load_config
from hwgen.errors import InputError

MemoryKib = Annotated[int, typer.Option(help="the board's on-chip memory: a power of two")]


def run(
    network: Network,
    port: Annotated[str, typer.Option(help="serial port of the board, such as /dev/ttyUSB0")],
    accelerator: Accelerator = "default",
    overrides: Overrides = None,
    dataset: SizedFor = "cifar10",
    inputs: InputFile = None,
    output: OutputFile = None,
    samples: Samples = None,
    seed: InputSeed = 0,
    baud: Annotated[int, typer.Option(min=1, help="bits per second of the serial line")] = BoardConfig.baud,
    timeout: Annotated[float, typer.Option(help="seconds that the board has for an answer, three times")] = 2.0,
    as_json: AsJson = False,
) -> None:
    """Run a network on a board that carries the accelerator, and compare every output byte with the reference."""
    from flows.board.job import board_values, print_board_run, run_on_board

    config = load_config(accelerator, tuple(overrides or ()))
    if not 0 < timeout < float("inf"):
        raise InputError(f"timeout: {timeout} is out of range; accepted: a positive number of seconds")
    graph = load_network(network, dataset)
    x = random_inputs(graph, samples or 1, seed) if inputs is None else read_inputs(inputs, graph, samples)
    refuse_unwritable("output", output)
    with Console(stderr=True).status(f"running {graph.name} on {len(x)} sample(s)"):
        board_run = run_on_board(graph, config, x, port, baud, timeout)
    if output is not None:
        write_array(output, board_run.execution.outputs)
    values = board_values(board_run)
    if as_json:
        typer.echo(json.dumps(values))
    else:
        print_board_run(values, result_console())
    refuse_mismatches(board_run)


def board(
    accelerator: Accelerator = "default", overrides: Overrides = None, memory_kib: MemoryKib = BoardConfig.memory_kib
) -> None:
    """Simulate a board that carries the accelerator, until interrupted; prints the port for `cosynth run`."""
    from sim.board import simulated_board

    config = BoardConfig(load_config(accelerator, tuple(overrides or ())), memory_kib)
    console = Console(stderr=True)
    with ExitStack() as stack:
        with console.status("building the board's simulator"):
            port = stack.enter_context(simulated_board(config))
        typer.echo(port)
        console.print("the board is there until you interrupt it (Ctrl-C)", highlight=False)
        with suppress(KeyboardInterrupt):
            signal.pause()
