"""What the importer and the reference make of a TensorFlow Lite file is what LiteRT's reference kernels compute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hwgen.graph import INT8_MAX, INT8_MIN, LayerGraph, Rounding
from hwgen.importers.flatbuffer import read_records
from hwgen.importers.tflite import read_tflite
from hwgen.reference import run, run_layer
from tests.hwgen.litert import golden_outputs, golden_tensors
from tests.hwgen.random_models import WRITERS, random_model

MODELS = {
    "ad01_int8": (10, ()),
    "kws_ref_model": (11, ("SOFTMAX",)),
    "pretrainedResnet_quant": (14, ("SOFTMAX",)),
    "vww_96_int8": (29, ("SOFTMAX",)),
}
"""Layers and host operators of the MLPerf Tiny networks."""
IMAGES = 50
LAYER_KINDS = tuple(kind for kind in WRITERS if kind != "softmax")
WINDOWED_KINDS = tuple(kind for kind in LAYER_KINDS if kind not in ("fully_connected", "mean"))
FLATTENING_KINDS = ("fully_connected", "mean")
FILE_PER_EXAMPLE = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


def probe_images(graph: LayerGraph, images: int) -> np.ndarray:
    """The extremes, the zero point, and random images: int8 [images, H, W, C]."""
    x = np.random.default_rng(0).integers(INT8_MIN, INT8_MAX, (images, *graph.input.output.shape), np.int8, True)
    x[0], x[1], x[2] = INT8_MIN, INT8_MAX, graph.input.output.zero_point
    return x


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest, data_dir: Path) -> Path:
    return data_dir / "models" / f"{request.param}.tflite"


def test_mlperf_tiny_networks_import_whole(model: Path) -> None:
    graph = read_tflite(model)
    assert graph.name == model.stem
    assert (len(list(graph.layers())), graph.host_operators) == MODELS[model.stem]


def test_each_layer_computes_litert_s_tensor_from_litert_s_operands(model: Path) -> None:
    graph = read_tflite(model)
    records = read_records(model)
    tensor_of = {layer.name: records.operators[operator_index(layer.name)].outputs[0] for layer in graph.layers()}
    tensor_of[graph.input_name] = records.inputs[0]
    for tensors in golden_tensors(model, probe_images(graph, IMAGES)):
        images = {name: tensors[index].reshape(1, *graph[name].output.shape) for name, index in tensor_of.items()}
        for layer in graph.layers():
            operands = graph.operands(layer)
            types = tuple(operand.output for operand in operands)
            actual = run_layer(layer, types, tuple(images[operand.name] for operand in operands))
            assert np.array_equal(actual, images[layer.name]), layer.name


def operator_index(layer_name: str) -> int:
    """Layers are named after their operator and its position in the file."""
    return int(layer_name.rpartition("_")[2])


def test_networks_compute_litert_s_output(model: Path) -> None:
    graph = read_tflite(model)
    x = probe_images(graph, IMAGES)
    outputs = run(graph, x)
    output_tensor = read_records(model).operators[operator_index(graph.output_name)].outputs[0]
    golden = [tensors[output_tensor].reshape(graph.output.output.shape) for tensors in golden_tensors(model, x)]
    assert np.array_equal(outputs, golden)


def assert_bit_exact(content: bytes, directory: Path) -> None:
    path = directory / "model.tflite"
    path.write_bytes(content)
    graph = read_tflite(path)
    x = probe_images(graph, 6)
    golden = golden_outputs(content, x)
    assert np.array_equal(run(graph, x).reshape(golden.shape), golden)


@pytest.mark.parametrize("kind", LAYER_KINDS)
@settings(max_examples=40, suppress_health_check=FILE_PER_EXAMPLE)
@given(seed=st.integers(0, 2**32 - 1))
def test_single_operators_are_bit_exact(kind: str, seed: int, tmp_path: Path) -> None:
    assert_bit_exact(random_model(np.random.default_rng(seed), (kind,)), tmp_path)


@settings(max_examples=150, suppress_health_check=FILE_PER_EXAMPLE)
@example(seed=27115, kinds=["padded_depthwise", "relu", "add"], last="fully_connected")
@given(
    seed=st.integers(0, 2**32 - 1),
    kinds=st.lists(st.sampled_from(WINDOWED_KINDS), min_size=2, max_size=5),
    last=st.sampled_from((*FLATTENING_KINDS, None)),
)
def test_chains_are_bit_exact(seed: int, kinds: list[str], last: str | None, tmp_path: Path) -> None:
    chain = tuple(kinds) if last is None else (*kinds, last)
    assert_bit_exact(random_model(np.random.default_rng(seed), chain), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_many_single_operators_are_bit_exact(kind: str, tmp_path: Path) -> None:
    for seed in range(1500):
        assert_bit_exact(random_model(np.random.default_rng([seed, 1]), (kind,)), tmp_path)


@pytest.mark.parametrize(
    ("kind", "rounding"),
    [("conv", Rounding.DOUBLE), ("depthwise", Rounding.DOUBLE), ("fully_connected", Rounding.SINGLE)],
)
def test_each_operator_has_its_kernel_s_rounding(kind: str, rounding: Rounding, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(random_model(np.random.default_rng(0), (kind,)))
    assert read_tflite(path).output.requantisation.rounding is rounding  # type: ignore[attr-defined]


def test_trailing_softmax_is_left_to_the_host(tmp_path: Path) -> None:
    path = tmp_path / "classifier.tflite"
    path.write_bytes(random_model(np.random.default_rng(0), ("conv", "fully_connected", "softmax")))
    graph = read_tflite(path)
    assert graph.host_operators == ("SOFTMAX",)
    assert graph.output.op == "fully_connected"
