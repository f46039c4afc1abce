"""Memory planning: where intermediate tensors lie in the scratch region."""

from __future__ import annotations

from hwgen.compiler.tiles import Place
from hwgen.graph import LayerGraph
from hwgen.isa import Region

ALIGNMENT = 64


def plan_tensors(graph: LayerGraph) -> tuple[dict[str, Place], int]:
    """A place for every layer's output, and the bytes of scratch memory in all.

    Tensors whose lifetimes do not overlap share memory: each takes the lowest gap that is free while it lives.
    """
    order = [graph.input_name, *(layer.name for layer in graph.layers())]
    position = {name: index for index, name in enumerate(order)}
    last_use = {
        name: max((position[reader] for reader in graph.digraph.successors(name)), default=position[name])
        for name in order
    }
    places = {graph.input_name: Place(Region.INPUT, 0), graph.output_name: Place(Region.OUTPUT, 0)}
    live: list[tuple[int, int, int]] = []
    """(first byte, end, last use) of tensors in scratch."""
    total = 0
    for name in order:
        if name in places:
            continue
        live = [entry for entry in live if entry[2] >= position[name]]
        size = -(-graph[name].output.elements // ALIGNMENT) * ALIGNMENT
        offset = 0
        for start, end, _ in sorted(live):
            if offset + size <= start:
                break
            offset = max(offset, end)
        live.append((offset, offset + size, last_use[name]))
        places[name] = Place(Region.SCRATCH, offset)
        total = max(total, offset + size)
    return places, total
