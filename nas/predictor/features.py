"""What is known of a pair before it is compiled: the work, the array's geometry, and the bounds that follow from both.

Everything is physical and of any dataflow, bus or memory, so that what was learnt on one holds in part on another: a
dataflow shows in how its array walks a layer and in what it keeps, a memory in how fast it feeds the bus.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log1p

import numpy as np

from hwgen.actions import ACTIONS
from hwgen.compiler.steps import Steps, group_cycles, layer_groups, layer_steps
from hwgen.config import KIB, AcceleratorConfig, Dataflow
from hwgen.energy import EnergyTable, action_units, unit_picojoules
from hwgen.graph import Add, Conv, Depthwise, FullyConnected, Layer, LayerGraph
from hwgen.memory_model import MemoryModel

PARAMETER_BYTES = 9
"""Bias, multiplier and shift of a channel."""
SIZES = ("rows", "cols", "rf_depth", "act_buffer_kib", "weight_buffer_kib", "bus_bits", "requant_lanes")
BOUNDS = ("array", "drain", "reads", "writes")
FEATURES = (
    *SIZES,
    *("layers", "additions", "largest_layer", "weights"),
    *ACTIONS,
    "energy",
    *BOUNDS,
    "bound",
    "serial",
    *(f"bound_by_{name}" for name in BOUNDS),
    "utilisation",
    "spilled",
    "weights_too_large",
)


@dataclass(frozen=True)
class _LayerWork:
    """A layer on an accelerator, the least that it takes."""

    actions: dict[str, float]
    """Counts by ``ACTIONS``; those that are not named do not happen."""
    array: float
    """Cycles of the array, or of what adds."""
    drain: float
    """Cycles of the lanes that requantise."""
    weight_bytes: float


def pair_features(graph: LayerGraph, config: AcceleratorConfig, memory: MemoryModel, table: EnergyTable) -> np.ndarray:
    """float64 [FEATURES]: sizes, work in the units of ``action_units``, energy and cycles as logarithms; shares."""
    layers = list(graph.layers())
    spilled = _spilled(graph, config)
    works = [_layer_work(graph, layer, config) for layer in layers]
    traffic = [_traffic(graph, layer, work, spilled) for layer, work in zip(layers, works, strict=True)]
    cycles = np.array(
        [
            (work.array, work.drain, *(_transfer_cycles(size, config, memory) for size in sizes))
            for work, sizes in zip(works, traffic, strict=True)
        ]
    )
    bound = cycles.max(axis=1)
    binding = np.bincount(cycles.argmax(axis=1), weights=bound, minlength=len(BOUNDS)) / bound.sum()
    counts = {name: sum(work.actions.get(name, 0.0) for work in works) for name in ACTIONS}
    counts["dram_read_beats"], counts["dram_write_beats"] = np.sum(traffic, axis=0) / config.bus_bytes
    units, picojoules = action_units(config), unit_picojoules(table)
    amounts = [counts[name] * units[name] for name in ACTIONS]
    energy = sum(amount * picojoules[name] for amount, name in zip(amounts, ACTIONS, strict=True))
    weights = np.array([work.weight_bytes for work in works])
    tensors = {layer.name: layer.output.elements for layer in (graph.input, *layers)}
    sizes = [getattr(config, name) for name in SIZES]
    kinds = [len(layers), sum(isinstance(layer, Add) for layer in layers), max(tensors.values()), weights.sum()]
    sums = [energy, *cycles.sum(axis=0), bound.sum(), cycles.sum()]
    shares = [
        graph.total_macs / (config.multipliers * bound.sum()),
        sum(tensors[name] for name in spilled) / sum(tensors.values()),
        weights[weights > config.weight_buffer_kib * KIB].sum() / max(1.0, weights.sum()),
    ]
    return np.array([*map(log1p, [*sizes, *kinds, *amounts, *sums]), *binding, *shares])


def _layer_work(graph: LayerGraph, layer: Layer, config: AcceleratorConfig) -> _LayerWork:
    height, width, channels = layer.output.shape
    results = layer.output.elements
    operand, *others = graph.operands(layer)
    if isinstance(layer, Add):
        vectors = results / config.eltwise_lanes
        reads = (1 + len(others)) * vectors
        actions = {"act_reads": reads, "act_writes": vectors, "requantised": float(results)}
        return _LayerWork(actions, reads, reads, 0.0)
    groups, steps = layer_groups(layer, operand.output, config), layer_steps(layer, operand.output, config)
    pixels = groups.count * height * width
    array = float(groups.count * group_cycles(steps, (height, width), width, config.block_pixels))
    drain = float(pixels * -(-groups.channels // config.requant_lanes))
    stationary = config.dataflow is not Dataflow.OS
    weights = layer.weights.size if isinstance(layer, Conv | Depthwise | FullyConnected) else 0
    actions = {
        "macs": float(graph.macs(layer)),
        "act_reads": array * _fetched_rows(steps),
        "act_writes": drain,
        "weight_reads": float(groups.count * steps.count * -(-height * width // config.block_pixels)),
        "weight_file_accesses": array if stationary else 0.0,
        "input_file_accesses": array if config.dataflow is Dataflow.RS and not steps.slides else 0.0,
        "psum_updates": float(pixels * -(-steps.count // steps.chunk)),
        "requantised": float(results),
    }
    return _LayerWork(actions, array, drain, float(weights + PARAMETER_BYTES * channels if weights else 0))


def _fetched_rows(steps: Steps) -> float:
    """Vectors that a step reads from the buffer, one per kernel row; row-stationary ones share the pixel's before."""
    return steps.rows * (1.0 if steps.slides else steps.new_columns / steps.columns)


def _traffic(graph: LayerGraph, layer: Layer, work: _LayerWork, spilled: set[str]) -> tuple[float, float]:
    """Bytes that a layer reads from memory and writes to it."""
    read = sum(operand.output.elements for operand in graph.operands(layer) if operand.name in spilled)
    return read + work.weight_bytes, float(layer.output.elements if layer.name in spilled else 0)


def _transfer_cycles(size: float, config: AcceleratorConfig, memory: MemoryModel) -> float:
    return memory.latency_cycles + size * memory.cycles_per_beat / config.bus_bytes if size else 0.0


def _spilled(graph: LayerGraph, config: AcceleratorConfig) -> set[str]:
    """Tensors in memory: the network's input and output, and where those alive exceed the buffer, the largest."""
    last_use = {operand.name: layer.name for layer in graph.layers() for operand in graph.operands(layer)}
    spilled, alive = {graph.input_name, graph.output_name}, dict[str, int]()
    for layer in graph.layers():
        if layer.name not in spilled:
            alive[layer.name] = layer.output.elements
        while sum(alive.values()) > config.act_buffer_kib * KIB:
            largest = max(alive, key=alive.__getitem__)
            spilled.add(largest)
            del alive[largest]
        alive = {name: size for name, size in alive.items() if last_use.get(name) != layer.name}
    return spilled
