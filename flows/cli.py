"""The `cosynth` command: arguments in, a job run, results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.errors import MismatchError, exit_code
from hwgen.errors import InputError

app = typer.Typer(name="cosynth", add_completion=False, rich_markup_mode=None)

Network = Annotated[
    str, typer.Argument(metavar="NETWORK", help="a .tflite file, a LayerGraph saved as .npz, or space:architecture")
]
Accelerator = Annotated[str, typer.Option(metavar="ACC", help="a preset (default, max64, max256) or a TOML file")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="override one field of the accelerator")
]
SizedFor = Annotated[str, typer.Option("--dataset", help="the data set that space:architecture is sized for")]


@app.callback()
def _root() -> None:
    """Search a network and its FPGA accelerator together, and generate both."""


@app.command()
def generate(
    network: Network,
    accelerator: Accelerator = "default",
    overrides: Overrides = None,
    dataset: SizedFor = "cifar10",
    output: Annotated[Path, typer.Option("--output", "-o", help="directory to write")] = Path("build/generated"),
) -> None:
    """Write Verilog, program image, register map, C header and manifest of a pair."""
    from flows.bundle import write_bundle
    from flows.files import new_directory, refuse_occupied
    from flows.network import load_network
    from hwgen.compiler import compile_graph
    from hwgen.config import load_config
    from hwgen.verilog import emit

    config = load_config(accelerator, tuple(overrides or ()))
    refuse_occupied(output)
    program = compile_graph(load_network(network, dataset), config)
    with new_directory(output) as directory:
        write_bundle(directory, program, emit(config), network)
    for path in sorted(output.iterdir()):
        typer.echo(path)


@app.command()
def simulate(
    network: Network,
    accelerator: Accelerator = "default",
    overrides: Overrides = None,
    dataset: SizedFor = "cifar10",
    inputs: Annotated[
        Path | None, typer.Option("--input", metavar="X.npy", help="int8 N x H x W x C; random where not given")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="Y.npy", help="where to write the outputs, int8")] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="inputs to run: all of X.npy, or 1 random one")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the random inputs")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of a table")] = False,
) -> None:
    """Run a network on the accelerator's RTL, and compare every output byte with the reference."""
    from flows.files import write_array
    from flows.network import load_network
    from flows.simulation import random_inputs, read_inputs, simulate_network, simulation_values
    from flows.tables import print_simulation
    from hwgen.config import load_config

    config = load_config(accelerator, tuple(overrides or ()))
    graph = load_network(network, dataset)
    x = random_inputs(graph, samples or 1, seed) if inputs is None else read_inputs(inputs, graph, samples)
    if output is not None and not output.parent.is_dir():
        raise InputError(f"output: {output.parent} is not a directory")
    with Console(stderr=True).status(f"simulating {graph.name} on {len(x)} sample(s)"):
        simulation = simulate_network(graph, config, x)
    if output is not None:
        write_array(output, simulation.measurement.outputs)
    values = simulation_values(simulation)
    if as_json:
        typer.echo(json.dumps(values))
    else:
        print_simulation(values, Console())
    if simulation.mismatches:
        raise MismatchError(
            f"{simulation.mismatches} of {simulation.expected.size} output bytes differ from the reference"
        )


def main() -> None:
    """Entry point of the console script."""
    sys.exit(exit_code(lambda: app(sys.argv[1:] or ["--help"], standalone_mode=False)))
