"""Memory planning: which tensors stay on chip between layers, and where every tensor lies while it lives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hwgen.compiler.builder import Span
from hwgen.compiler.tiles import Box, Home, Place, Tile, bank_bytes
from hwgen.config import AcceleratorConfig
from hwgen.graph import FullyConnected, LayerGraph
from hwgen.isa import Region

ALIGNMENT = 64


@dataclass(frozen=True)
class Rooms:
    """Parts of the activation buffer, as addresses in every bank, for a layer's tiles of tensors that lie in memory."""

    operands: Span
    results: Span


@dataclass(frozen=True)
class MemoryPlan:
    """Where a network's tensors lie."""

    homes: Mapping[str, Home]
    """By layer: where its output lies in memory, or the tile that holds all of it on chip."""
    rooms: Mapping[str, Rooms]
    """By layer: what tensors that stay on chip leave of the activation buffer."""
    scratch_bytes: int


@dataclass(frozen=True)
class _Lives:
    """When tensors live, by the positions of layers in program order."""

    order: tuple[str, ...]
    position: Mapping[str, int]
    last_use: Mapping[str, int]

    def of(self, name: str) -> range:
        """Positions from the layer that writes the tensor to the last that reads it."""
        return range(self.position[name], self.last_use[name] + 1)

    def still(self, spans: Mapping[str, Span], name: str) -> dict[str, Span]:
        """Those of ``spans``, of earlier tensors, that live when the tensor ``name`` is written."""
        return {other: span for other, span in spans.items() if self.last_use[other] >= self.position[name]}


def plan_key(config: AcceleratorConfig) -> tuple[int, int]:
    """What of a configuration a plan depends on: equal keys, equal plans."""
    return config.act_bank_bytes, config.act_word_bytes


def chip_candidates(graph: LayerGraph) -> frozenset[str]:
    """Layers whose outputs could stay on chip: all but the last, and what a product flattens from several rows."""

    def flattened(name: str) -> bool:
        readers = graph.digraph.successors(name)
        return graph[name].output.shape[0] > 1 and any(isinstance(graph[reader], FullyConnected) for reader in readers)

    names = (layer.name for layer in graph.layers())
    return frozenset(name for name in names if name != graph.output_name and not flattened(name))


def plan_memory(graph: LayerGraph, config: AcceleratorConfig, candidates: Collection[str]) -> MemoryPlan:
    """A home for every layer's output: on chip for those of ``candidates`` that fit while they live, else in memory.

    Where tensors that live at once do not fit, the largest goes to memory.
    """
    lives = _lives(graph)
    on_chip = set(candidates)
    spans = _place_on_chip(graph, config, lives, on_chip)
    while isinstance(spans, str):
        on_chip.remove(spans)
        spans = _place_on_chip(graph, config, lives, on_chip)
    places, scratch_bytes = _place_in_memory(graph, lives, on_chip)
    tiles = {name: _whole_tile(graph, config, name, span.start) for name, span in spans.items()}
    live: list[list[Span]] = [[] for _ in lives.order]
    for name, span in spans.items():
        for position in lives.of(name):
            live[position].append(span)
    rooms = {layer.name: _rooms(config, live[lives.position[layer.name]]) for layer in graph.layers()}
    return MemoryPlan({**places, **tiles}, rooms, scratch_bytes)


def _lives(graph: LayerGraph) -> _Lives:
    order = (graph.input_name, *(layer.name for layer in graph.layers()))
    position = {name: index for index, name in enumerate(order)}
    last_use = {
        name: max((position[reader] for reader in graph.digraph.successors(name)), default=position[name])
        for name in order
    }
    return _Lives(order, position, last_use)


def _whole_tile(graph: LayerGraph, config: AcceleratorConfig, name: str, address: int) -> Tile:
    height, width, channels = graph[name].output.shape
    row_pitch = bank_bytes(1, width * channels, config.act_word_bytes)
    return Tile(Box(0, height, 0, width, 0, channels), address, row_pitch, channels)


def _place_on_chip(
    graph: LayerGraph, config: AcceleratorConfig, lives: _Lives, on_chip: Collection[str]
) -> dict[str, Span] | str:
    """Bank addresses of the tensors ``on_chip``, each in the lowest gap while it lives; or the one that must leave.

    While a layer with a tensor in memory runs, half of the buffer stays free for its tiles.
    """
    capacity = 2 * config.act_bank_bytes
    with_memory = {
        lives.position[layer.name]
        for layer in graph.layers()
        if any(tensor.name not in on_chip for tensor in (layer, *graph.operands(layer)))
    }
    placed: dict[str, Span] = {}
    live: dict[str, Span] = {}
    for name in lives.order:
        if name not in on_chip:
            continue
        live = lives.still(live, name)
        height, width, channels = graph[name].output.shape
        size = bank_bytes(height, width * channels, config.act_word_bytes)
        limit = capacity // 2 if with_memory & set(lives.of(name)) else capacity
        start = next((gap.start for gap in _gaps(live.values(), limit) if gap.start + size <= gap.end), None)
        if start is None:
            sizes = {name: size, **{other: span.end - span.start for other, span in live.items()}}
            return max(sizes, key=sizes.__getitem__)
        placed[name] = live[name] = Span(start, start + size)
    return placed


def _place_in_memory(graph: LayerGraph, lives: _Lives, on_chip: Collection[str]) -> tuple[dict[str, Place], int]:
    """A place for every tensor that is not on chip, and the bytes of scratch memory in all.

    Tensors whose lifetimes do not overlap share scratch memory: each takes the lowest gap that is free while it lives.
    """
    places = {graph.input_name: Place(Region.INPUT, 0), graph.output_name: Place(Region.OUTPUT, 0)}
    total = 0
    live: dict[str, Span] = {}
    for name in lives.order:
        if name in places or name in on_chip:
            continue
        live = lives.still(live, name)
        size = -(-graph[name].output.elements // ALIGNMENT) * ALIGNMENT
        start = next(gap.start for gap in _gaps(live.values(), 1 << 40) if gap.start + size <= gap.end)
        live[name] = Span(start, start + size)
        places[name] = Place(Region.SCRATCH, start)
        total = max(total, start + size)
    return places, total


def _rooms(config: AcceleratorConfig, taken: Collection[Span]) -> Rooms:
    """The two largest gaps that ``taken`` leaves; or the largest, cut in two, where that leaves more to the smaller."""
    capacity = 2 * config.act_bank_bytes
    gaps = sorted(_gaps(taken, capacity), key=lambda gap: gap.start - gap.end)
    if not gaps:
        return Rooms(Span(0, 0), Span(0, 0))
    largest = gaps[0]
    half = (largest.end - largest.start) // (2 * config.act_word_bytes) * config.act_word_bytes
    if len(gaps) > 1 and gaps[1].end - gaps[1].start >= half:
        return Rooms(largest, gaps[1])
    middle = largest.start + half
    return Rooms(Span(largest.start, middle), Span(middle, largest.end))


def _gaps(taken: Iterable[Span], end: int) -> Iterator[Span]:
    """What ``taken`` leaves of [0, ``end``), from the lowest."""
    start = 0
    for span in sorted(taken, key=lambda span: span.start):
        if start < span.start < end:
            yield Span(start, span.start)
        start = max(start, span.end)
    if start < end:
        yield Span(start, end)
