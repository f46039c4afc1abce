"""Compilation of a whole network, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.compiler.builder import ProgramBuilder
from hwgen.compiler.lower_add import lower_add
from hwgen.compiler.lower_split import lower_split
from hwgen.compiler.lower_windowed import lower_windowed
from hwgen.compiler.memory import MemoryPlan, chip_candidates, plan_memory
from hwgen.compiler.tiles import Home, Place, Rings, Tile
from hwgen.compiler.tiling import choose_tiling, tile_rooms
from hwgen.compiler.windowed import windowed_layers
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError
from hwgen.graph import Add, Layer, LayerGraph
from hwgen.program import Engine, LayerSpan, Program


class CompileError(InputError):
    """A layer that cannot be run on a configuration; the message names both and what would do."""


def compile_graph(graph: LayerGraph, config: AcceleratorConfig) -> Program:
    """The program that computes ``graph`` on the accelerator of ``config``.

    Raises CompileError where a layer cannot be tiled to the configuration's buffers.
    """
    layers = tuple(graph.layers())
    if not layers:
        raise CompileError(f"network {graph.name!r} has no layers; accepted: at least one")
    preferred, *others = memory_candidates(graph)
    try:
        return compile_layers(graph, layers, config, plan_memory(graph, config, preferred))
    except CompileError:
        if not others:
            raise
    return compile_layers(graph, layers, config, plan_memory(graph, config, others[0]))


def memory_candidates(graph: LayerGraph) -> list[frozenset[str]]:
    """The candidates for ``plan_memory`` in the order in which compilation tries them.

    Tensors that stay on chip leave less room for the tiles of those that do not: the last resort is to keep none.
    """
    candidates = chip_candidates(graph)
    return [candidates, frozenset()] if candidates else [candidates]


def compile_layers(graph: LayerGraph, layers: Sequence[Layer], config: AcceleratorConfig, plan: MemoryPlan) -> Program:
    """The program that computes successive ``layers`` of ``graph`` under a memory plan, given the tensors before them.

    Raises CompileError where a layer cannot be tiled to what the plan leaves it.
    """
    builder = ProgramBuilder(config)
    spans = []
    for layer in layers:
        rooms = plan.rooms[layer.name]
        rings = Rings(builder.act_ring(rooms.operands), builder.act_ring(rooms.results))
        operands = graph.operands(layer)
        sources, target = tuple(plan.homes[operand.name] for operand in operands), plan.homes[layer.name]
        try:
            _lower(builder, layer, operands, sources, target, rings)
        except ValueError as error:
            raise CompileError(
                f"layer {layer.name!r} ({layer.op}) cannot be tiled to act_buffer_kib={config.act_buffer_kib}, "
                f"weight_buffer_kib={config.weight_buffer_kib}: {error}; larger buffers or a smaller layer would do"
            ) from error
        engine = Engine.STORE if isinstance(target, Place) else Engine.COMPUTE
        spans.append(LayerSpan(layer.name, layer.op, graph.macs(layer), engine, builder.issued[engine]))
    return Program(
        network=graph.name,
        config=config,
        image=builder.image(),
        scratch_bytes=plan.scratch_bytes,
        input=graph.input.output,
        output=graph.output.output,
        layers=tuple(spans),
        host_operators=graph.host_operators,
    )


def _lower(
    builder: ProgramBuilder,
    layer: Layer,
    operands: tuple[Layer, ...],
    sources: tuple[Home, ...],
    target: Home,
    rings: Rings,
) -> None:
    if isinstance(layer, Add):
        lower_add(builder, layer, operands, sources, target, rings)
        return
    operand, config = operands[0].output, builder.config
    for part in windowed_layers(layer, operand, config):
        tiling = choose_tiling(part, config, tile_rooms(sources[0], target, rings))
        if tiling is None:
            break
        results = target.regrouped(part.outputs.tensor) if isinstance(target, Tile) else target
        lower_windowed(builder, part, tiling, sources[0], results, rings)
    else:
        return
    for part in windowed_layers(layer, operand, config, step_rows=1):
        lower_split(builder, part, sources[0], target, rings)
