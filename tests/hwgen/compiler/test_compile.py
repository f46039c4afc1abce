"""Compiled programs compute what the reference computes, in whatever order their waits let the engines run."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwgen import reference
from hwgen.compiler import CompileError, compile_graph
from hwgen.compiler.lower_windowed import Rectangle, operand_box
from hwgen.compiler.tiling import TileRooms, Tiling, choose_tiling
from hwgen.compiler.windowed import WindowedLayer, windowed_layers
from hwgen.config import ROW_BANKS, AcceleratorConfig, Dataflow
from hwgen.graph import (
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Input,
    LayerGraph,
    MaxPool,
    TensorType,
    Window,
)
from hwgen.isa import INSTRUCTION_BYTES, INSTRUCTIONS_PER_FETCH, Opcode
from hwgen.program import Engine, Program
from tests.hwgen.interpreter import ENGINES, instructions, interpret
from tests.hwgen.random_configs import random_config
from tests.hwgen.random_graphs import random_input, random_layer_graph
from tests.hwgen.single_layers import single_layer

LARGE = AcceleratorConfig(act_buffer_kib=1024, weight_buffer_kib=1024)
NARROW = AcceleratorConfig(rows=2, cols=2, act_buffer_kib=1024, weight_buffer_kib=1024, requant_lanes=2)
SMALL = AcceleratorConfig(act_buffer_kib=4, weight_buffer_kib=1, param_channels=16)
seeds = st.integers(0, 2**32 - 1)


def random_case(seed: int, max_elements: int = 1024) -> tuple[LayerGraph, AcceleratorConfig, np.ndarray]:
    rng = np.random.default_rng(seed)
    config = random_config(rng)
    graph = random_layer_graph(rng, max_elements)
    return graph, config, random_input(rng, graph)


def assert_bit_exact(graph: LayerGraph, config: AcceleratorConfig, image: np.ndarray, order: int = 0) -> None:
    output = interpret(compile_graph(graph, config), image[0], order)
    np.testing.assert_array_equal(output, reference.run(graph, image)[0])


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(seed=seeds, order=seeds)
def test_random_networks_are_bit_exact_on_random_accelerators(seed: int, order: int) -> None:
    assert_bit_exact(*random_case(seed), order)


@pytest.mark.slow
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(seed=seeds, order=seeds)
def test_larger_random_networks_are_bit_exact_on_random_accelerators(seed: int, order: int) -> None:
    assert_bit_exact(*random_case(seed, max_elements=8192), order)


FIELD_LIMITS = {
    "rows beyond out_height": (Conv, (5000, 1, 1), 4, Window((1, 1)), LARGE),
    "columns beyond out_width": (Conv, (1, 5000, 1), 4, Window((1, 1)), LARGE),
    "stride beyond row_stride": (Conv, (10001, 1, 1), 4, Window((1, 1), (5000, 1)), LARGE),
    "kernel beyond kernel_steps": (Conv, (1021, 1, 1), 4, Window((1021, 1)), LARGE),
    "channels beyond x_step": (Conv, (1, 4, 40000), 4, Window((1, 1), (1, 2)), LARGE),
    "channels beyond x_step, in slices": (Conv, (1, 4, 40000), 4, Window((1, 1), (1, 2)), SMALL),
    "channels beyond out_step": (Conv, (1, 3, 2), 17000, Window((1, 1)), LARGE),
    "channels beyond out_step, pooled": (MaxPool, (1, 3, 17000), 17000, Window((1, 2)), LARGE),
    "channels beyond column_stride": (Depthwise, (1, 2, 17000), 17000, Window((1, 2)), LARGE),
    "kernel beyond segment_steps": (AveragePool, (1, 40000, 3), 3, Window((1, 40000)), NARROW),
    "inputs beyond in_row_bytes": (FullyConnected, (1, 1, 300000), 2, Window((1, 1)), LARGE),
    "outputs beyond groups": (FullyConnected, (1, 1, 4), 40000, Window((1, 1)), LARGE),
    "mean over a large image": (AveragePool, (300, 300, 2), 2, Window((300, 300)), SMALL),
    "a piece's results beyond the buffer": (
        *(Conv, (68, 64, 1), 65, Window((68, 1))),
        AcceleratorConfig(
            rows=32, cols=32, rf_depth=64, act_buffer_kib=4, weight_buffer_kib=16, bus_bits=256, requant_lanes=1
        ),
    ),
}


@pytest.mark.parametrize(
    ("layer_type", "shape", "channels", "window", "config"), FIELD_LIMITS.values(), ids=FIELD_LIMITS
)
def test_layers_beyond_one_instruction_s_fields_take_several(
    layer_type: type, shape: tuple[int, int, int], channels: int, window: Window, config: AcceleratorConfig
) -> None:
    graph = single_layer(layer_type, shape, channels, window)
    assert_bit_exact(graph, config, random_input(np.random.default_rng(1), graph))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(seed=seeds)
def test_programs_are_well_formed(seed: int) -> None:
    graph, config, _ = random_case(seed)
    program = compile_graph(graph, config)
    *issued, end = instructions(program.image)
    before = dict.fromkeys(Engine, 0)
    for instruction in issued:
        assert all(before[engine] >= retired for engine, retired in instruction.waits.items())
        before[ENGINES[instruction.opcode]] += 1
    assert end.waits == before
    padded = -(-(len(issued) + 1) // INSTRUCTIONS_PER_FETCH) * INSTRUCTIONS_PER_FETCH
    assert len(program.image) >= (padded + 2 * INSTRUCTIONS_PER_FETCH) * INSTRUCTION_BYTES


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(seed=seeds)
def test_layers_complete_in_order_and_the_last_with_the_last_store(seed: int) -> None:
    graph, config, _ = random_case(seed)
    program = compile_graph(graph, config)
    issued = Counter(ENGINES[i.opcode] for i in instructions(program.image)[:-1])
    assert [span.name for span in program.layers] == [layer.name for layer in graph.layers()]
    for engine in (Engine.COMPUTE, Engine.STORE):
        retired = [span.retired for span in program.layers if span.engine is engine]
        assert retired == sorted(set(retired))
        assert all(0 < count <= issued[engine] for count in retired)
    last = program.layers[-1]
    assert (last.engine, last.retired) == (Engine.STORE, issued[Engine.STORE])
    assert sum(span.macs for span in program.layers) == graph.total_macs


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(seed=seeds)
def test_compilation_is_deterministic(seed: int) -> None:
    def compiled() -> Program:
        graph, config, _ = random_case(seed)
        return compile_graph(graph, config)

    assert compiled().image == compiled().image


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(seed=seeds)
def test_a_tiling_covers_the_layer_and_its_words_and_tiles_fit(seed: int) -> None:
    graph, config, _ = random_case(seed, max_elements=8192)
    for layer in graph.layers():
        if layer.op == "add":
            continue
        for windowed in windowed_layers(layer, graph.operands(layer)[0].output, config):
            half = config.act_bank_bytes
            tiling = choose_tiling(windowed, config, TileRooms(half, half))
            if tiling is not None:
                assert 1 <= tiling.tile_height <= windowed.out_size[0]
                assert 1 <= tiling.tile_width <= windowed.out_size[1]
                assert 1 <= tiling.chunk_groups <= windowed.groups
                assert windowed.weight_words(tiling.chunk_groups) <= config.weight_words
                assert windowed.parameter_words(tiling.chunk_groups) <= config.parameter_words
                assert_tiles_fit(windowed, tiling, config)


def test_tiles_are_narrow_where_rows_of_operands_do_not_fit_whether_results_stay_on_chip_or_not() -> None:
    config = AcceleratorConfig(rows=8, cols=4, act_buffer_kib=32, weight_buffer_kib=256, bus_bits=128)
    graph = single_layer(Conv, (8, 8, 768), 128, Window((1, 1)))
    (layer,) = graph.layers()
    (windowed,) = windowed_layers(layer, graph.operands(layer)[0].output, config)
    for results in (None, 2048):
        tiling = choose_tiling(windowed, config, TileRooms(2048, results))
        assert tiling is not None
        assert tiling.tile_width < 8


def test_a_group_of_pixels_whose_lanes_no_field_can_count_is_not_formed() -> None:
    config = AcceleratorConfig(rows=2, cols=2, dataflow=Dataflow.WS, rf_depth=3, requant_lanes=2)
    compile_graph(single_layer(Conv, (3, 6, 24), 1, Window((1, 7), (1, 1), (0, 0, 6, 0))), config)


def assert_tiles_fit(layer: WindowedLayer, tiling: Tiling, config: AcceleratorConfig) -> None:
    """Rows are dealt to the banks in turn and begin on whole words; the first bank holds the most of them."""

    def fits(rows: int, row_bytes: int) -> bool:
        words = len(range(0, rows, ROW_BANKS)) * len(range(0, row_bytes, config.act_word_bytes))
        return words * config.act_word_bytes <= config.act_bank_bytes

    height, width = layer.out_size
    for top in range(0, height, tiling.tile_height):
        for left in range(0, width, tiling.tile_width):
            tile = Rectangle(top, min(height, top + tiling.tile_height), left, min(width, left + tiling.tile_width))
            for first in range(0, layer.groups, tiling.chunk_groups):
                groups = min(tiling.chunk_groups, layer.groups - first)
                box = operand_box(layer, tile, *layer.chunk_inputs(first, groups))
                assert box.empty or fits(box.bottom - box.top, (box.right - box.left) * box.channels)
                _, channels = layer.chunk_outputs(first, groups)
                assert fits(tile.bottom - tile.top, (tile.right - tile.left) * channels)


def test_weights_load_once_where_they_fit() -> None:
    graph = single_layer(Conv, (8, 8, 8), 8, Window((3, 3), (1, 1), (1, 1, 1, 1)))
    opcodes = Counter(i.opcode for i in instructions(compile_graph(graph, LARGE).image))
    assert opcodes[Opcode.LOAD_WEIGHT] == 1


def test_a_network_without_layers_is_refused() -> None:
    graph = LayerGraph("empty", Input("input", TensorType((1, 1, 1), 1.0, 0)))
    with pytest.raises(CompileError, match=r"^network 'empty' has no layers; accepted: at least one$"):
        compile_graph(graph, AcceleratorConfig())


def test_a_layer_that_no_instruction_expresses_is_refused_in_one_sentence() -> None:
    """2000 columns of 300 channels, all padding: the first operand lies half a megabyte before the row."""
    graph = single_layer(Conv, (1, 4, 300), 4, Window((1, 2000), (1, 1), (0, 0, 1998, 0)))
    with pytest.raises(CompileError) as refusal:
        compile_graph(graph, AcceleratorConfig())
    message = str(refusal.value)
    assert message.startswith("layer 'layer' (conv) cannot be tiled to act_buffer_kib=64, weight_buffer_kib=32: ")
    assert message.endswith("; larger buffers or a smaller layer would do")
    assert "\n" not in message
