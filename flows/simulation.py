"""The simulate job: run a network on its accelerator's RTL, compare every byte with the reference, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flows.accelerators import config_values
from flows.layer_report import layer_values
from hwgen.actions import action_counts
from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig
from hwgen.cycles import Prediction, predict
from hwgen.energy import ENERGY_TABLES, energy_uj
from hwgen.errors import InputError
from hwgen.graph import INT8_MAX, INT8_MIN, LayerGraph
from hwgen.reference import run
from sim.simulate import Measurement, simulate


@dataclass(frozen=True, eq=False)
class Simulation:
    """A network simulated on an accelerator, beside what it should have computed."""

    graph: LayerGraph
    config: AcceleratorConfig
    measurement: Measurement
    prediction: Prediction
    """Of the cycle model, for the memory that was simulated."""
    predicted_actions: Mapping[str, int]
    """By the program's instructions."""
    expected: np.ndarray
    """int8 [N, h, w, c], from the reference."""

    @property
    def mismatches(self) -> int:
        """Output bytes that differ from the reference."""
        return int((self.measurement.outputs != self.expected).sum())


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
    """The report as a JSON object. Cycles, counters and energy are those of the first sample, measured in
    RTL; predicted ones are the models'."""
    graph, config, measurement = simulation.graph, simulation.config, simulation.measurement
    prediction, counters, macs = simulation.prediction, measurement.counters, graph.total_macs
    return {
        "network": graph.name,
        "accelerator": config_values(config),
        "samples": len(simulation.expected),
        "bit_exact": simulation.mismatches == 0,
        "cycles": measurement.cycles,
        "predicted_cycles": prediction.cycles,
        "macs": macs,
        "peak_macs_per_cycle": config.multipliers,
        "utilization": _utilisation(macs, measurement.cycles, config),
        "dram_read_bytes": counters["dram_read_beats"] * config.bus_bytes,
        "dram_write_bytes": counters["dram_write_beats"] * config.bus_bytes,
        "layers": [
            {
                "name": span.name,
                "op": span.op,
                "cycles": cycles,
                "predicted_cycles": predicted,
                "macs": span.macs,
                "utilization": _utilisation(span.macs, cycles, config),
                **layer_values(span.macs, counted, config),
            }
            for (span, cycles), counted, (_, predicted) in zip(
                measurement.layer_cycles, measurement.layer_counters, prediction.layer_cycles, strict=True
            )
        ],
        "counters": counters,
        "energy_uj": _energies(counters, config),
        "predicted_energy_uj": _energies(simulation.predicted_actions, config),
        "memory": {"bus_bits": config.bus_bits, "latency_cycles": measurement.memory.latency_cycles},
        "build_seconds": measurement.build_seconds,
        "sim_seconds": measurement.sim_seconds,
        "sim_cycles_per_second": measurement.sim_cycles_per_second,
    }


def _energies(counters: Mapping[str, int], config: AcceleratorConfig) -> dict[str, float]:
    """By table."""
    return {table.name: energy_uj(counters, config, table) for table in ENERGY_TABLES}


def _utilisation(macs: int, cycles: int, config: AcceleratorConfig) -> float:
    """Fraction of the array's peak."""
    return macs / (cycles * config.multipliers) if cycles else 0.0
