"""The simulate job: run a network on its accelerator's RTL, compare every byte with the reference, report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flows.simulate.layers import layer_values
from flows.simulate.run import Run, run_values, utilisation
from hwgen.actions import action_counts
from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig
from hwgen.cycles import predict
from hwgen.errors import InputError
from hwgen.graph import INT8_MAX, INT8_MIN, LayerGraph
from hwgen.reference import run
from sim.simulate import Measurement, simulate


@dataclass(frozen=True, eq=False)
class Simulation(Run):
    """A network simulated on an accelerator, beside what it should have computed."""

    execution: Measurement


def simulate_network(
    graph: LayerGraph, config: AcceleratorConfig, inputs: np.ndarray, trace: Path | None = None
) -> Simulation:
    """Simulate ``graph`` on ``inputs`` (int8 [N, H, W, C]) and compute the reference's outputs.

    ``trace`` names an FST file of waves to write.
    """
    program = compile_graph(graph, config)
    measurement = simulate(program, inputs, trace=trace)
    prediction, actions = predict(program, measurement.memory), action_counts(program)
    return Simulation(graph, config, measurement, prediction, actions, run(graph, inputs))


def read_inputs(path: Path, graph: LayerGraph, samples: int | None) -> np.ndarray:
    """The first ``samples`` inputs (all where None) of an .npy file; InputError unless they fit the network."""
    try:
        inputs = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"input: {path} is not a readable .npy file") from error
    if not isinstance(inputs, np.ndarray):
        raise InputError(f"input: {path} is an archive of arrays; accepted: one array, saved by numpy.save")
    shape = graph.input.output.shape
    if inputs.dtype != np.int8 or inputs.shape[1:] != shape or len(inputs) == 0:
        accepted = f"int8 [N, {', '.join(map(str, shape))}] with N at least 1"
        raise InputError(f"input: {path} holds {inputs.dtype} {list(inputs.shape)}; accepted: {accepted}")
    if samples is not None and samples > len(inputs):
        raise InputError(f"samples: {samples} is more than the {len(inputs)} in {path}")
    return inputs[:samples]


def random_inputs(graph: LayerGraph, samples: int, seed: int) -> np.ndarray:
    """Uniform int8 inputs [N, H, W, C]."""
    shape = (samples, *graph.input.output.shape)
    return np.random.default_rng(seed).integers(INT8_MIN, INT8_MAX + 1, shape, dtype=np.int8)


def simulation_values(simulation: Simulation) -> dict[str, Any]:
    """The report as JSON values: ``flows.simulate.run.run_values``, layer by layer, and what simulating took."""
    config, measurement = simulation.config, simulation.execution
    layers = zip(measurement.layer_cycles, measurement.layer_counters, simulation.prediction.layer_cycles, strict=True)
    return {
        **run_values(simulation),
        "layers": [
            {
                "name": span.name,
                "op": span.op,
                "cycles": cycles,
                "predicted_cycles": predicted,
                "macs": span.macs,
                "utilization": utilisation(span.macs, cycles, config),
                **layer_values(span.macs, counted, config),
            }
            for (span, cycles), counted, (_, predicted) in layers
        ],
        "build_seconds": measurement.build_seconds,
        "sim_seconds": measurement.sim_seconds,
        "sim_cycles_per_second": measurement.sim_cycles_per_second,
    }
