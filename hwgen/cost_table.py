"""Cycles and actions of whole networks on many accelerators, composed of their layers'.

A layer's cycles, from the completion of the one before to its own, follow from its shape, from where its tensors lie
and from the layers around it, whose transfers and computations overlap its own. So each layer is compiled and modelled
once per configuration in a window of its neighbours in program order, and every network that has the same window has
the cycles for the price of a lookup. They are close to the whole program's; what lies outside the window is left out.

Its actions (``hwgen.actions``) follow from its shape and from where its tensors lie alone, and a network's are their
sum and the fetching of so many instructions: exactly those of the whole program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from hwgen.actions import ACTIONS, fetch_beats, layer_actions
from hwgen.compiler.compile import CompileError, compile_layers, memory_candidates
from hwgen.compiler.memory import MemoryPlan, plan_key, plan_memory
from hwgen.compiler.tiles import Place
from hwgen.config import AcceleratorConfig
from hwgen.cycles import predict
from hwgen.energy import WORD_BYTES, EnergyTable, action_units, unit_picojoules
from hwgen.graph import Add, Layer, LayerGraph
from hwgen.memory_model import DEFAULT_MEMORY, MemoryModel

COUNTED = (*ACTIONS, "instructions")
"""What is remembered of a layer beside its cycles."""

Signature = tuple[object, ...]


@dataclass(frozen=True)
class Neighbours:
    """How many layers around its own a window has."""

    before: int = 3
    """What they leave of their computations and of the bus reaches it."""
    after: int = 1
    """Their weights load while it computes."""

    def bounds(self, index: int, layers: int) -> tuple[int, int]:
        """First and end of the window of layer number ``index`` of so many."""
        return max(0, index - self.before), min(layers, index + self.after + 1)


CLOSE = Neighbours()
"""Windows that are close to the whole program, within 1 % where that was measured."""


@dataclass(frozen=True, eq=False)
class _Planned:
    """A network under a memory plan."""

    plan: MemoryPlan
    layers: np.ndarray
    """int64 [layers]: the number of each layer's shape and places."""
    windows: np.ndarray
    """int64 [layers]: the number of each layer's window."""
    different: np.ndarray
    """int64 [different layers]: each number in ``layers`` once."""
    times: np.ndarray
    """float64 [different layers]: how often it is there."""


@dataclass(eq=False)
class _Network:
    """What is known of a network: its layers, and its plans by what of a configuration they depend on."""

    layers: tuple[Layer, ...]
    candidates: list[frozenset[str]]
    planned: dict[tuple[tuple[int, int], frozenset[str]], _Planned] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Costs:
    """What an inference of one network costs on each of some accelerators, by the model."""

    cycles: np.ndarray
    """float64 [configs]: infinite where the network does not compile."""
    counts: np.ndarray
    """float64 [configs, COUNTED]: its layers' sums; 0 there."""
    units: np.ndarray
    """float64 [configs, ACTIONS]: ``hwgen.energy.action_units`` of each."""

    @cached_property
    def actions(self) -> np.ndarray:
        """int64 [configs, ACTIONS]: those of ``hwgen.actions.action_counts``; 0 where the network does not compile."""
        actions = self.counts[:, : len(ACTIONS)].astype(np.int64)
        read = ACTIONS.index("dram_read_beats")
        bus_bytes = WORD_BYTES * self.units[:, read]
        fetched = fetch_beats(self.counts[:, COUNTED.index("instructions")], bus_bytes)
        actions[:, read] += np.where(np.isinf(self.cycles), 0, fetched).astype(np.int64)
        return actions

    def energy_uj(self, table: EnergyTable) -> np.ndarray:
        """float64 [configs]: ``hwgen.energy.energy_uj`` of the actions; infinite where the network does not compile."""
        picojoules = unit_picojoules(table)
        energies = self.actions * self.units @ [picojoules[name] for name in ACTIONS]
        return np.where(np.isinf(self.cycles), np.inf, 1e-6 * energies)


class CostTable:
    """Composes networks' costs and remembers what it modelled of their layers.

    Fewer ``neighbours`` make fewer different windows, each of which holds for more networks and is further off.
    """

    def __init__(self, memory: MemoryModel = DEFAULT_MEMORY, neighbours: Neighbours = CLOSE) -> None:
        self._memory = memory
        self._neighbours = neighbours
        self._networks: WeakKeyDictionary[LayerGraph, _Network] = WeakKeyDictionary()
        self._layers: dict[Signature, int] = {}
        self._windows: dict[Signature, int] = {}
        self._rows: dict[AcceleratorConfig, int] = {}
        self._cycles = np.full((16, 256), np.nan)
        """By configuration and window: infinite where it cannot be compiled, NaN where it is not known."""
        self._counts = np.full((16, 64, len(COUNTED)), np.nan)
        """By configuration and layer: NaN where no window with the layer is known."""
        self._units = np.full((16, len(ACTIONS)), np.nan)
        """By configuration."""

    def costs(self, graph: LayerGraph, configs: Sequence[AcceleratorConfig]) -> Costs:
        """The costs of ``graph`` on each of ``configs``."""
        network = self._network(graph)
        rows = np.array([self._row(config) for config in configs], np.int64)
        cycles, counts = np.full(len(configs), np.inf), np.zeros((len(configs), len(COUNTED)))
        for candidates in network.candidates if network.layers else []:
            alike: dict[tuple[int, int], list[int]] = {}
            for index in np.flatnonzero(np.isinf(cycles)).tolist():
                alike.setdefault(plan_key(configs[index]), []).append(index)
            for indices in alike.values():
                alike_configs = [configs[index] for index in indices]
                sums = self._sums(graph, network, candidates, alike_configs, rows[indices])
                cycles[indices], counts[indices] = sums
        return Costs(cycles, counts, self._units[rows])

    def _network(self, graph: LayerGraph) -> _Network:
        network = self._networks.get(graph)
        if network is None:
            network = _Network(tuple(graph.layers()), memory_candidates(graph))
            self._networks[graph] = network
        return network

    def _sums(
        self,
        graph: LayerGraph,
        network: _Network,
        candidates: frozenset[str],
        configs: Sequence[AcceleratorConfig],
        rows: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The layers' cycles, float64 [configs], and counts, float64 [configs, COUNTED], on ``configs`` of one plan."""
        key = plan_key(configs[0]), candidates
        if key not in network.planned:
            network.planned[key] = self._plan(graph, network.layers, plan_memory(graph, configs[0], candidates))
        planned = network.planned[key]
        cycles = self._cycles[rows[:, None], planned.windows]
        unknown = np.isnan(cycles).any(axis=1) & ~np.isinf(cycles).any(axis=1)
        for index in np.flatnonzero(unknown).tolist():
            self._model(graph, network.layers, planned, configs[index], int(rows[index]))
            cycles[index] = self._cycles[rows[index], planned.windows]
        impossible = np.isinf(cycles).any(axis=1)
        counts = planned.times @ self._counts[rows[:, None], planned.different]
        return np.where(impossible, np.inf, cycles.sum(axis=1)), np.where(impossible[:, None], 0, counts)

    def _plan(self, graph: LayerGraph, layers: Sequence[Layer], plan: MemoryPlan) -> _Planned:
        """Number what is not numbered yet of a network under ``plan``."""
        own = [_signature(graph, layer, plan) for layer in layers]
        numbers = [self._layers.setdefault(signature, len(self._layers)) for signature in own]
        windows = [
            self._windows.setdefault(window, len(self._windows))
            for window in _windows(graph, layers, own, self._neighbours)
        ]
        self._counts = _grown(self._counts, self._counts.shape[0], len(self._layers))
        self._cycles = _grown(self._cycles, self._cycles.shape[0], len(self._windows))
        different, times = np.unique(numbers, return_counts=True)
        return _Planned(plan, np.array(numbers), np.array(windows), different, times.astype(float))

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
        for first, end in _merged([self._neighbours.bounds(index, len(layers)) for index in missing.values()]):
            try:
                program = compile_layers(graph, layers[first:end], config, plan)
            except CompileError:
                for index in range(first, end):
                    if not _compiles(graph, layers[index], config, plan):
                        self._cycles[row, planned.windows[index]] = np.inf
                return
            counts, cycles = layer_actions(program), predict(program, self._memory).layer_cycles
            self._counts[row, planned.layers[first:end]] = [[layer[name] for name in COUNTED] for layer in counts]
            for window, index in missing.items():
                if first <= index < end:
                    self._cycles[row, window] = cycles[index - first][1]

    def _row(self, config: AcceleratorConfig) -> int:
        row = self._rows.get(config)
        if row is None:
            row = self._rows[config] = len(self._rows)
            self._counts = _grown(self._counts, row + 1, self._counts.shape[1])
            self._cycles = _grown(self._cycles, row + 1, self._cycles.shape[1])
            self._units = _grown(self._units, row + 1, len(ACTIONS))
            units = action_units(config)
            self._units[row] = [units[name] for name in ACTIONS]
        return row


def _grown(table: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The table, or one with the same beginning that is twice as large as needed where it is too small."""
    if table.shape[0] >= rows and table.shape[1] >= columns:
        return table
    sizes = [size if size >= needed else 2 * needed for size, needed in zip(table.shape, (rows, columns), strict=False)]
    grown = np.full((*sizes, *table.shape[2:]), np.nan)
    grown[: table.shape[0], : table.shape[1]] = table
    return grown


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


def _windows(
    graph: LayerGraph, layers: Sequence[Layer], own: Sequence[Signature], neighbours: Neighbours
) -> list[Signature]:
    """What each layer's cycles follow from: every layer of its window, and which of them read which."""
    position = {layer.name: index for index, layer in enumerate(layers)}
    reads = [[position.get(operand.name, -len(layers)) for operand in graph.operands(layer)] for layer in layers]
    windows: list[Signature] = []
    for index in range(len(layers)):
        first, end = neighbours.bounds(index, len(layers))
        links = tuple(tuple(max(-1, read - first) for read in reads[other]) for other in range(first, end))
        windows.append((index - first, end == len(layers), tuple(own[first:end]), links))
    return windows


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
