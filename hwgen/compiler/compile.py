"""Compilation of a whole network, layer by layer."""

from __future__ import annotations

from hwgen.compiler.builder import ProgramBuilder
from hwgen.compiler.lower_add import lower_add
from hwgen.compiler.lower_split import lower_split
from hwgen.compiler.lower_windowed import lower_windowed
from hwgen.compiler.memory import plan_tensors
from hwgen.compiler.tiles import Place
from hwgen.compiler.tiling import choose_tiling
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
    if graph.output_name == graph.input_name:
        raise CompileError(f"network {graph.name!r} has no layers; accepted: at least one")
    places, scratch_bytes = plan_tensors(graph)
    builder = ProgramBuilder(config)
    spans = []
    for layer in graph.layers():
        operands = graph.operands(layer)
        sources = tuple(places[operand.name] for operand in operands)
        try:
            _lower(builder, layer, operands, sources, places[layer.name])
        except ValueError as error:
            raise CompileError(
                f"layer {layer.name!r} ({layer.op}) cannot be tiled to act_buffer_kib={config.act_buffer_kib}, "
                f"weight_buffer_kib={config.weight_buffer_kib}: {error}; larger buffers or a smaller layer would do"
            ) from error
        spans.append(LayerSpan(layer.name, layer.op, graph.macs(layer), Engine.STORE, builder.issued[Engine.STORE]))
    return Program(
        network=graph.name,
        config=config,
        image=builder.image(),
        scratch_bytes=scratch_bytes,
        input=graph.input.output,
        output=graph.output.output,
        layers=tuple(spans),
        host_operators=graph.host_operators,
    )


def _lower(
    builder: ProgramBuilder,
    layer: Layer,
    operands: tuple[Layer, ...],
    sources: tuple[Place, ...],
    target: Place,
) -> None:
    if isinstance(layer, Add):
        lower_add(builder, layer, operands, sources, target)
        return
    operand, config = operands[0].output, builder.config
    for part in windowed_layers(layer, operand, config):
        tiling = choose_tiling(part, config)
        if tiling is None:
            break
        lower_windowed(builder, part, tiling, sources[0], target)
    else:
        return
    for part in windowed_layers(layer, operand, config, step_rows=1):
        lower_split(builder, part, sources[0], target)
