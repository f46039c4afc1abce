"""Cycles of whole networks on many accelerators, composed of their layers' cycles among their neighbours.

A layer's cycles, from the completion of the one before to its own, follow from its shape, from where its tensors lie
and from the layers around it, whose transfers and computations overlap its own. So each layer is compiled and modelled
once per configuration in a window of its neighbours in program order, and every network that has the same window has
the cycles for the price of a lookup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from hwgen.compiler.compile import CompileError, compile_layers, memory_candidates
from hwgen.compiler.memory import MemoryPlan, plan_key, plan_memory
from hwgen.compiler.tiles import Place
from hwgen.config import AcceleratorConfig
from hwgen.cycles.accelerator import predict
from hwgen.graph import Add, Layer, LayerGraph
from hwgen.memory_model import DEFAULT_MEMORY, MemoryModel

LAYERS_BEFORE = 3
"""Layers of a window before its own: what they leave of their computations and of the bus reaches it."""
LAYERS_AFTER = 1
"""And after it: their weights load while it computes."""

Signature = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class _Planned:
    """A network under a memory plan."""

    plan: MemoryPlan
    windows: np.ndarray
    """int64 [layers]: the number of each layer's window."""


@dataclass(eq=False)
class _Network:
    """What is known of a network: its layers, and its plans by what of a configuration they depend on."""

    layers: tuple[Layer, ...]
    candidates: list[frozenset[str]]
    planned: dict[tuple[tuple[int, int], frozenset[str]], _Planned] = field(default_factory=dict)


class CycleTable:
    """Composes networks' cycles and remembers what it modelled of their layers."""

    def __init__(self, memory: MemoryModel = DEFAULT_MEMORY) -> None:
        self._memory = memory
        self._networks: WeakKeyDictionary[LayerGraph, _Network] = WeakKeyDictionary()
        self._windows: dict[Signature, int] = {}
        self._rows: dict[AcceleratorConfig, int] = {}
        self._cycles = np.full((16, 256), np.nan)
        """By configuration and window: infinite where it cannot be compiled, NaN where it is not known."""

    def cycles(self, graph: LayerGraph, configs: Sequence[AcceleratorConfig]) -> np.ndarray:
        """float64 [configs]: modelled cycles of an inference; infinite where the network does not compile."""
        network = self._network(graph)
        totals = np.full(len(configs), np.inf)
        if not network.layers:
            return totals
        for candidates in network.candidates:
            alike: dict[tuple[int, int], list[int]] = {}
            for index in np.flatnonzero(np.isinf(totals)).tolist():
                alike.setdefault(plan_key(configs[index]), []).append(index)
            for indices in alike.values():
                totals[indices] = self._totals(graph, network, candidates, [configs[index] for index in indices])
        return totals

    def _network(self, graph: LayerGraph) -> _Network:
        network = self._networks.get(graph)
        if network is None:
            network = _Network(tuple(graph.layers()), memory_candidates(graph))
            self._networks[graph] = network
        return network

    def _totals(
        self, graph: LayerGraph, network: _Network, candidates: frozenset[str], configs: Sequence[AcceleratorConfig]
    ) -> np.ndarray:
        """float64 [configs], which share their plan."""
        key = plan_key(configs[0]), candidates
        if key not in network.planned:
            plan = plan_memory(graph, configs[0], candidates)
            network.planned[key] = _Planned(plan, self._number(_signatures(graph, network.layers, plan)))
        planned = network.planned[key]
        rows = np.array([self._row(config) for config in configs])
        cycles = self._cycles[rows[:, None], planned.windows]
        unknown = np.isnan(cycles).any(axis=1) & ~np.isinf(cycles).any(axis=1)
        for index in np.flatnonzero(unknown).tolist():
            self._model(graph, network.layers, planned, configs[index], int(rows[index]))
            cycles[index] = self._cycles[rows[index], planned.windows]
        totals: np.ndarray = np.where(np.isinf(cycles).any(axis=1), np.inf, cycles.sum(axis=1))
        return totals

    def _model(
        self, graph: LayerGraph, layers: Sequence[Layer], planned: _Planned, config: AcceleratorConfig, row: int
    ) -> None:
        """Model what is not known for ``config``: runs of layers with all windows that are missing, each once.

        Stops at a layer that cannot be compiled, and notes it.
        """
        plan = planned.plan
        missing = {
            window: index
            for index, window in reversed(list(enumerate(planned.windows.tolist())))
            if np.isnan(self._cycles[row, window])
        }
        for first, end in _merged([_bounds(index, len(layers)) for index in missing.values()]):
            try:
                program = compile_layers(graph, layers[first:end], config, plan)
            except CompileError:
                for index in range(first, end):
                    if not _compiles(graph, layers[index], config, plan):
                        self._cycles[row, planned.windows[index]] = np.inf
                return
            cycles = predict(program, self._memory).layer_cycles
            for window, index in missing.items():
                if first <= index < end:
                    self._cycles[row, window] = cycles[index - first][1]

    def _number(self, signatures: Sequence[Signature]) -> np.ndarray:
        """int64 [layers]: windows' numbers, new ones for those not met before."""
        numbers = [self._windows.setdefault(signature, len(self._windows)) for signature in signatures]
        self._cycles = _grown(self._cycles, self._cycles.shape[0], len(self._windows))
        return np.array(numbers)

    def _row(self, config: AcceleratorConfig) -> int:
        row = self._rows.setdefault(config, len(self._rows))
        self._cycles = _grown(self._cycles, len(self._rows), self._cycles.shape[1])
        return row


def _grown(table: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The table, or a larger one with the same beginning where it is too small."""
    if table.shape[0] >= rows and table.shape[1] >= columns:
        return table
    grown = np.full((max(table.shape[0], 2 * rows), max(table.shape[1], 2 * columns)), np.nan)
    grown[: table.shape[0], : table.shape[1]] = table
    return grown


def _bounds(index: int, layers: int) -> tuple[int, int]:
    """First and end of the window of layer number ``index``."""
    return max(0, index - LAYERS_BEFORE), min(layers, index + LAYERS_AFTER + 1)


def _compiles(graph: LayerGraph, layer: Layer, config: AcceleratorConfig, plan: MemoryPlan) -> bool:
    try:
        compile_layers(graph, [layer], config, plan)
    except CompileError:
        return False
    return True


def _merged(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for first, end in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((first, end))
    return merged


def _signatures(graph: LayerGraph, layers: Sequence[Layer], plan: MemoryPlan) -> list[Signature]:
    """What each layer's cycles follow from: every layer of its window, and which of them read which."""
    position = {layer.name: index for index, layer in enumerate(layers)}
    own = [_signature(graph, layer, plan) for layer in layers]
    reads = [[position.get(operand.name, -len(layers)) for operand in graph.operands(layer)] for layer in layers]
    signatures: list[Signature] = []
    for index in range(len(layers)):
        first, end = _bounds(index, len(layers))
        links = tuple(tuple(max(-1, read - first) for read in reads[other]) for other in range(first, end))
        signatures.append((index - first, end == len(layers), tuple(own[first:end]), links))
    return signatures


def _signature(graph: LayerGraph, layer: Layer, plan: MemoryPlan) -> Signature:
    """A layer's shape, and where its tensors lie; of what is on chip the address hardly matters."""
    operands = graph.operands(layer)
    rooms = plan.rooms[layer.name]
    sources = tuple(_room(plan, operand, rooms.operands.end - rooms.operands.start) for operand in operands)
    target = _room(plan, layer, rooms.results.end - rooms.results.start)
    window = None if isinstance(layer, Add) else getattr(layer, "window", None)
    return type(layer), window, tuple(operand.output.shape for operand in operands), layer.output.shape, sources, target


def _room(plan: MemoryPlan, layer: Layer, room: int) -> int | None:
    """The room for tiles of a tensor that lies in memory; None where it stays on chip."""
    return room if isinstance(plan.homes[layer.name], Place) else None
