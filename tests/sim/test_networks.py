"""Whole networks, from the file to the outputs of the simulated RTL, are LiteRT's outputs bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen import reference
from hwgen.compiler import compile_graph
from hwgen.config import PRESETS, AcceleratorConfig
from hwgen.graph import AveragePool, Conv, Depthwise, FullyConnected, Input, LayerGraph, MaxPool, TensorType, Window
from hwgen.importers.flatbuffer import read_records
from hwgen.importers.tflite import read_tflite
from hwgen.memory_model import MemoryModel
from hwgen.networks.imagenet import NETWORKS, imagenet_network
from sim.simulate import simulate
from tests.hwgen.litert import golden_outputs, golden_tensors
from tests.hwgen.random_graphs import add_layer, random_input, random_layer_graph
from tests.hwgen.random_models import WRITERS, random_model
from tests.hwgen.single_layers import single_layer
from tests.hwgen.tflite_builder import Operator, Tensor, build_model, constant
from tests.sim.accelerators import ACCELERATORS

MLPERF_TINY = ("ad01_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8")
ARRAYS = {
    "4x4": AcceleratorConfig(rows=4, cols=4, requant_lanes=2, bus_bits=32, act_buffer_kib=32, weight_buffer_kib=8),
    "8x8": PRESETS["default"],
    "16x16": PRESETS["max256"],
}
OPERATORS = tuple(kind for kind in WRITERS if kind != "softmax")
"""Every operator that runs on the accelerator."""

EXTREMES = {
    "2x2": AcceleratorConfig(
        rows=2,
        cols=2,
        rf_depth=1,
        act_buffer_kib=4,
        weight_buffer_kib=1,
        param_channels=4,
        bus_bits=32,
        requant_lanes=1,
    ),
    "3x5": AcceleratorConfig(
        rows=3,
        cols=5,
        rf_depth=64,
        act_buffer_kib=4,
        weight_buffer_kib=1,
        param_channels=10,
        bus_bits=256,
        requant_lanes=4,
    ),
    "2x32": AcceleratorConfig(
        rows=2,
        cols=32,
        rf_depth=64,
        act_buffer_kib=4,
        weight_buffer_kib=1,
        param_channels=64,
        bus_bits=256,
        requant_lanes=32,
    ),
    "32x2": AcceleratorConfig(
        rows=32,
        cols=2,
        rf_depth=3,
        act_buffer_kib=4,
        weight_buffer_kib=1,
        param_channels=4,
        bus_bits=32,
        requant_lanes=2,
    ),
}
"""The smallest buffers on the oddest arrays: reductions come in slices, and pools' parameters window by window."""
SAME_7X7 = Window((7, 7), (1, 1), (3, 3, 3, 3))
AWKWARD_LAYERS = {
    "convolution in slices": (Conv, (3, 5, 300), 40, Window((3, 3), (1, 1), (1, 1, 1, 1))),
    "fully connected in slices": (FullyConnected, (1, 1, 3000), 70, Window((1, 1))),
    "average pool of many divisors": (AveragePool, (9, 9, 11), 11, SAME_7X7),
    "average pool in slices": (AveragePool, (60, 60, 9), 9, Window((60, 60))),
    "max pool": (MaxPool, (8, 9, 13), 13, Window((11, 11), (2, 1), (5, 5, 5, 5))),
    "depthwise of multiplier 7": (Depthwise, (5, 6, 3), 21, Window((3, 3), (1, 1), (1, 1, 1, 1))),
    "depthwise kernel beyond its input": (Depthwise, (3, 2, 20), 20, Window((9, 8), (1, 1), (4, 4, 4, 4))),
    "padding beyond the kernel": (Conv, (2, 3, 4), 6, Window((1, 1), (2, 2), (3, 4, 5, 2))),
    "padding beyond the kernel, channelwise": (Depthwise, (2, 3, 4), 4, Window((2, 2), (3, 3), (6, 5, 4, 7))),
    "more pixels than one piece": (Conv, (17, 70, 1), 33, Window((17, 1))),
}


def slow_but(fast: str, cases: dict[str, AcceleratorConfig]) -> list:
    """``cases`` as parameters of a test; only ``fast`` is built in the fast set."""
    return [
        pytest.param(config, id=name, marks=() if name == fast else pytest.mark.slow) for name, config in cases.items()
    ]


every_array = pytest.mark.parametrize("config", slow_but("8x8", ARRAYS))
every_extreme = pytest.mark.parametrize("config", slow_but("3x5", EXTREMES))


def assert_reference_s_output(graph: LayerGraph, config: AcceleratorConfig, inputs: np.ndarray) -> None:
    measurement = simulate(compile_graph(graph, config), inputs)
    np.testing.assert_array_equal(measurement.outputs, reference.run(graph, inputs))


@every_array
@pytest.mark.parametrize("name", MLPERF_TINY)
def test_mlperf_tiny(name: str, config: AcceleratorConfig, data_dir: Path) -> None:
    path = data_dir / "models" / f"{name}.tflite"
    graph = read_tflite(path)
    inputs = random_input(np.random.default_rng(0), graph, images=2)
    measurement = simulate(compile_graph(graph, config), inputs)
    # The host runs what follows the accelerator's last layer, which is named after its operator in the file.
    last = read_records(path).operators[int(graph.output_name.rpartition("_")[2])]
    golden = [tensors[last.outputs[0]] for tensors in golden_tensors(path, inputs)]
    np.testing.assert_array_equal(measurement.outputs, np.reshape(golden, measurement.outputs.shape))
    assert measurement.counters["macs"] == graph.total_macs


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_imagenet_size(name: str) -> None:
    graph = imagenet_network(name)
    assert_reference_s_output(graph, PRESETS["max256"], random_input(np.random.default_rng(0), graph))


def assert_litert_s_output(content: bytes, config: AcceleratorConfig, directory: Path) -> None:
    path = directory / "model.tflite"
    path.write_bytes(content)
    graph = read_tflite(path)
    inputs = random_input(np.random.default_rng(0), graph, images=2)
    outputs = simulate(compile_graph(graph, config), inputs).outputs
    golden = golden_outputs(content, inputs)
    np.testing.assert_array_equal(outputs.reshape(golden.shape), golden)


@pytest.mark.parametrize("config", ACCELERATORS.values(), ids=ACCELERATORS)
@pytest.mark.parametrize("kind", OPERATORS)
def test_every_operator_of_a_file(kind: str, config: AcceleratorConfig, tmp_path: Path) -> None:
    for seed in range(3):
        assert_litert_s_output(random_model(np.random.default_rng([seed, 7]), (kind,)), config, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("config", ACCELERATORS.values(), ids=ACCELERATORS)
@pytest.mark.parametrize("seed", range(100))
def test_chains_of_operators(seed: int, config: AcceleratorConfig, tmp_path: Path) -> None:
    rng = np.random.default_rng([seed, 8])
    windowed = [kind for kind in OPERATORS if kind not in ("fully_connected", "mean")]
    kinds = (*rng.choice(windowed, 4), str(rng.choice(["fully_connected", "mean"])))
    assert_litert_s_output(random_model(rng, tuple(map(str, kinds))), config, tmp_path)


@pytest.mark.parametrize("config", ACCELERATORS.values(), ids=ACCELERATORS)
def test_mean_over_a_large_image(config: AcceleratorConfig, tmp_path: Path) -> None:
    source, output = Tensor((1, 40, 37, 11), (0.1,), (5,)), Tensor((1, 11), (0.01,), (-20,))
    mean = Operator("MEAN", (source, constant(np.array([1, 2], np.int32))), output, {"KeepDims": False})
    assert_litert_s_output(build_model([mean]), config, tmp_path)


@pytest.mark.parametrize("config", ACCELERATORS.values(), ids=ACCELERATORS)
def test_pad_wider_than_the_kernel_that_follows(config: AcceleratorConfig, tmp_path: Path) -> None:
    """Outputs of nothing but padding, at every edge."""
    rng = np.random.default_rng(0)
    source, padded = Tensor((1, 3, 4, 5), (0.1,), (9,)), Tensor((1, 10, 13, 5), (0.1,), (9,))
    pads = constant(np.array([[0, 0], [4, 3], [3, 6], [0, 0]], np.int32))
    weights = constant(rng.integers(-127, 128, (6, 2, 3, 5)).astype(np.int8), (0.01,))
    bias = constant(rng.integers(-999, 999, 6).astype(np.int32), (0.001,))
    window = {"Padding": 1, "StrideH": 2, "StrideW": 2, "DilationHFactor": 1, "DilationWFactor": 1}
    output = Tensor((1, 5, 6, 6), (0.2,), (-3,))
    operators = [
        Operator("PAD", (source, pads), padded),
        Operator("CONV_2D", (padded, weights, bias), output, {**window, "FusedActivationFunction": 0}),
    ]
    assert_litert_s_output(build_model(operators), config, tmp_path)


@every_extreme
@pytest.mark.parametrize(("layer_type", "shape", "channels", "window"), AWKWARD_LAYERS.values(), ids=AWKWARD_LAYERS)
def test_awkward_layers_on_extreme_accelerators(
    config: AcceleratorConfig, layer_type: type, shape: tuple[int, int, int], channels: int, window: Window
) -> None:
    graph = single_layer(layer_type, shape, channels, window)
    assert_reference_s_output(graph, config, random_input(np.random.default_rng(1), graph, images=2))


@every_extreme
@pytest.mark.parametrize("seed", range(20))
def test_random_networks_on_extreme_accelerators(config: AcceleratorConfig, seed: int) -> None:
    rng = np.random.default_rng([seed, 9])
    graph = random_layer_graph(rng, max_elements=2048)
    assert_reference_s_output(graph, config, random_input(rng, graph, images=2))


@every_extreme
@pytest.mark.parametrize("shape", [(15, 2, 9), (6, 4, 8), (14, 10, 8)])
def test_an_addition_keeps_its_scales_to_its_last_element(
    config: AcceleratorConfig, shape: tuple[int, int, int]
) -> None:
    """The second addition's first stretch is ready while the first one's last elements are still being scaled."""
    graph = LayerGraph("additions", Input("input", TensorType(shape, 0.01, -128)))
    first = add_layer("first", graph.input, graph.input, TensorType(shape, 0.014, 60), (-128, 127))
    graph.add(first, "input", "input")
    second = add_layer("second", first, graph.input, TensorType(shape, 0.02, 0), (-128, 127))
    graph.add(second, "first", "input")
    inputs = random_input(np.random.default_rng(0), graph, images=8)
    measurement = simulate(compile_graph(graph, config), inputs, MemoryModel(latency_cycles=2))
    np.testing.assert_array_equal(measurement.outputs, reference.run(graph, inputs))


@pytest.mark.slow
def test_every_word_of_the_largest_weight_buffer_is_reached() -> None:
    """The narrowest words of the largest buffer have the longest addresses."""
    config = AcceleratorConfig(rows=2, cols=2, requant_lanes=1, act_buffer_kib=16, weight_buffer_kib=1024)
    graph = single_layer(FullyConnected, (1, 1, 4000), 140, Window((1, 1)))
    assert graph.total_macs > 2**17 * config.multipliers
    assert_reference_s_output(graph, config, random_input(np.random.default_rng(0), graph))
