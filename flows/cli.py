"""The `cosynth` command: arguments in, a job run, results on standard output, everything else on standard error.

Commands import what only they need, so that `simulate` does not wait for plots, torch and the generator to load.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.board.command import MemoryKib, board, run
from flows.characterisation.command import characterise
from flows.errors import exit_code
from flows.experiments.command import experiments
from flows.files import new_directory, refuse_occupied, refuse_unwritable, write_array
from flows.implement.ecp5.placement import PLACEMENTS
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
from flows.search.settings import Depth, Hardware, Oracle, Settings, load_settings
from flows.simulate.job import random_inputs, read_inputs, simulate_network, simulation_values
from flows.simulate.run import refuse_mismatches
from flows.simulate.table import print_simulation
from hwgen.board.config import BoardConfig
from hwgen.config import load_config
from hwgen.errors import InputError
from hwgen.files import write_bytes
from nas.strategies import StrategyName

app = typer.Typer(name="cosynth", add_completion=False, rich_markup_mode=None)

AmdDevice = Annotated[str, typer.Option(help="xc7a35t, xc7a100t, xc7z020, xc7k325t, xczu3eg or xczu7ev")]

app.add_typer(experiments, name="experiment")
app.command()(run)
app.command()(board)
app.command()(characterise)


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
    from flows.export.bundle import write_bundle
    from hwgen.compiler import compile_graph
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
    inputs: InputFile = None,
    output: OutputFile = None,
    samples: Samples = None,
    seed: InputSeed = 0,
    trace: Annotated[
        Path | None, typer.Option(metavar="W.fst", help="write waves of every signal, for GTKWave or Surfer")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="P.png", help="draw utilisation per layer (.png, .svg or .pdf)")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a network on the accelerator's RTL, and compare every output byte with the reference."""
    config = load_config(accelerator, tuple(overrides or ()))
    graph = load_network(network, dataset)
    x = random_inputs(graph, samples or 1, seed) if inputs is None else read_inputs(inputs, graph, samples)
    for option, path in (("output", output), ("trace", trace), ("plot", plot)):
        refuse_unwritable(option, path)
    if plot is not None:
        from flows.simulate.utilisation_plot import check_plot_path

        check_plot_path(plot)
    with Console(stderr=True).status(f"simulating {graph.name} on {len(x)} sample(s)"):
        simulation = simulate_network(graph, config, x, trace)
    if output is not None:
        write_array(output, simulation.execution.outputs)
    values = simulation_values(simulation)
    if plot is not None:
        from flows.simulate.utilisation_plot import utilisation_plot

        write_bytes(plot, utilisation_plot(values, plot.suffix))
    if as_json:
        typer.echo(json.dumps(values))
    else:
        print_simulation(values, result_console())
    refuse_mismatches(simulation)


@app.command()
def implement(
    accelerator: Accelerator = "default",
    overrides: Overrides = None,
    device: Annotated[str | None, typer.Option(help="ecp5-25k, ecp5-45k or ecp5-85k (where not given)")] = None,
    board: Annotated[
        str | None, typer.Option(help="ulx3s-85f: with memory, serial port and pins of that board, not alone")
    ] = None,
    memory_kib: MemoryKib = BoardConfig.memory_kib,
    multipliers: Annotated[
        int | None, typer.Option(min=0, help="18x18 multipliers to use at most; the array's others are LUTs")
    ] = None,
    speed_grade: Annotated[int, typer.Option(min=6, max=8, help="of the device: 6 is the slowest")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="of placement: clocks differ by some percent")] = 1,
    placements: Annotated[
        int, typer.Option(min=1, help="made side by side; the one that promises the fastest clock is routed")
    ] = PLACEMENTS,
    output: Annotated[Path, typer.Option("--output", "-o", help="directory to write")] = Path("build/implementation"),
) -> None:
    """Synthesise, place and route an accelerator for an ECP5; write its bitstream, clock and resources."""
    from flows.board.implementation import board_config, run_board_implementation
    from flows.implement.ecp5.devices import find_device
    from flows.implement.ecp5.job import print_implementation, run_implementation

    config, console = load_config(accelerator, tuple(overrides or ())), Console(stderr=True)
    if board is not None and device is not None:
        raise InputError(f"device: {board} has its own; accepted: --board or --device")
    chip = find_device(device or "ecp5-85k")
    limit = chip.dsp if multipliers is None else min(multipliers, chip.dsp)
    if board is None:
        report = run_implementation(output, config, chip, limit, speed_grade, seed, placements, console)
    else:
        on_board = board_config(board, config, memory_kib)
        report = run_board_implementation(output, on_board, limit, speed_grade, seed, placements, console)
    print_implementation(report, output, result_console())


@app.command()
def synthesise(
    accelerator: Accelerator = "default",
    overrides: Overrides = None,
    device: AmdDevice = "xc7z020",
    output: Annotated[Path, typer.Option("--output", "-o", help="directory to write")] = Path("build/synthesis"),
) -> None:
    """Synthesise an accelerator for an AMD device; write what it takes of it, before place and route."""
    from flows.implement.amd.devices import find_device
    from flows.implement.amd.job import print_synthesis, run_synthesis

    config = load_config(accelerator, tuple(overrides or ()))
    report = run_synthesis(output, config, find_device(device), Console(stderr=True))
    print_synthesis(report, output, result_console())


@app.command()
def export(
    accelerator: Accelerator = "default",
    overrides: Overrides = None,
    device: AmdDevice = "xc7z020",
    clock_mhz: Annotated[float, typer.Option(min=1, max=1000, help="clock that Vivado is to reach")] = 100,
    output: Annotated[Path, typer.Option("--output", "-o", help="directory to write")] = Path("build/export"),
) -> None:
    """Write an accelerator for Vivado, which packages and implements it, and as a core of FuseSoC."""
    from flows.export.job import export
    from flows.implement.amd.devices import find_device

    export(output, load_config(accelerator, tuple(overrides or ())), find_device(device), clock_mhz)
    for path in sorted(path for path in output.rglob("*") if path.is_file()):
        typer.echo(path)


@app.command()
def search(
    context: typer.Context,
    space: Annotated[
        str, typer.Option(help="network space: nasbench201, nasbench201-tiny, macro or mbconv")
    ] = Settings.space,
    dataset: Annotated[str, typer.Option(help="digits or cifar10")] = Settings.dataset,
    data_dir: Annotated[
        Path | None, typer.Option(help="where the data set's files lie; else the directory that COSYNTH_DATA names")
    ] = None,
    accuracy: Annotated[Oracle, typer.Option(help="where accuracies come from")] = Settings.accuracy,
    strategy: Annotated[StrategyName, typer.Option(help="how pairs are proposed")] = Settings.strategy,
    budget: Annotated[int, typer.Option(help="pairs proposed")] = Settings.budget,
    population: Annotated[
        int, typer.Option(help="pairs per round, after which the front is measured")
    ] = Settings.population,
    builds: Annotated[int, typer.Option(help="accelerators built and simulated")] = Settings.builds,
    constraint: Annotated[
        list[str] | None, typer.Option(metavar="METRIC<=BOUND", help="such as latency_ms<=5 or fits=ecp5-85k")
    ] = None,
    objective: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC",
            help="what pairs are compared by beside accuracy, such as energy_uj; else cycles and lut_equivalents",
        ),
    ] = None,
    clock_mhz: Annotated[
        float, typer.Option(help="clock of latencies and GMAC/s, where place and route found none")
    ] = Settings.clock_mhz,
    implement: Annotated[
        Depth, typer.Option(help="how far the front's accelerators are implemented on the device that they fit")
    ] = Settings.implement,
    hardware: Annotated[
        Hardware, typer.Option(help="what cycles are measured on: simulated RTL, or a board, simulated without --port")
    ] = Settings.hardware,
    port: Annotated[str | None, typer.Option(help="serial port of the board")] = None,
    loader: Annotated[
        str | None, typer.Option(help="command that loads an accelerator into the board, run with its TOML file's path")
    ] = None,
    supernet_epochs: Annotated[int | None, typer.Option(help="of the supernet's training")] = None,
    oracle_epochs: Annotated[int | None, typer.Option(help="of each network that --accuracy trained trains")] = None,
    training_epochs: Annotated[int | None, typer.Option(help="of the chosen network's training")] = None,
    verified_images: Annotated[
        int, typer.Option(help="test images that the chosen pair classifies in RTL simulation")
    ] = Settings.verified_images,
    seed: Annotated[int, typer.Option(help="of everything that is drawn at random")] = Settings.seed,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="RUN", help="run directory to create; else runs/<time>")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="finish this search; no other option goes with it")
    ] = None,
) -> None:
    """Search networks and accelerators together; leaves a run directory with the front and the chosen pair."""
    if resume is not None:
        _refuse_other_options(context)
        run, settings = resume, load_settings(resume)
    else:
        run = output or Path("runs", datetime.now().strftime("%Y%m%d-%H%M%S"))
        refuse_occupied(run)
        settings = Settings(
            space=space,
            dataset=dataset,
            data_dir=None if data_dir is None else str(data_dir.resolve()),
            accuracy=accuracy,
            strategy=strategy,
            budget=budget,
            population=population,
            builds=builds,
            constraints=tuple(constraint or ()),
            objectives=tuple(objective or Settings.objectives),
            clock_mhz=clock_mhz,
            implement=implement,
            hardware=hardware,
            port=port,
            loader=loader,
            supernet_epochs=supernet_epochs,
            oracle_epochs=oracle_epochs,
            training_epochs=training_epochs,
            verified_images=verified_images,
            seed=seed,
        )
    from flows.search.job import run_search
    from flows.search.table import print_results

    print_results(run_search(run, settings, Console(stderr=True)), run, result_console())


@app.command()
def report(run: Annotated[Path, typer.Argument(metavar="RUN", help="run directory of a finished search")]) -> None:
    """Print the front and the chosen pair of a search, and draw its plots anew."""
    from flows.pairs.evaluation_log import EVALUATIONS, read_evaluations
    from flows.search.results import load_results
    from flows.search.table import print_results

    load_settings(run)
    results = load_results(run)
    results.render(run, read_evaluations(run / EVALUATIONS))
    print_results(results, run, result_console())


def _refuse_other_options(context: typer.Context) -> None:
    """InputError where --resume comes with an option that the run directory settles."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if name != "resume" and source is not None and source.name == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            raise InputError(f"resume: the run has its own settings; accepted: no other option, not {option}")


def main() -> None:
    """Entry point of the console script."""
    sys.exit(exit_code(lambda: app(sys.argv[1:] or ["--help"], standalone_mode=False)))


if __name__ == "__main__":
    main()
