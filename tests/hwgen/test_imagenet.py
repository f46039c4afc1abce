"""The ImageNet networks against their papers' and torchvision's figures."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.consistency import check_layer
from hwgen.errors import InputError
from hwgen.graph import INT8_MAX, INT8_MIN, Add, Conv, Depthwise, FullyConnected, LayerGraph, MaxPool
from hwgen.networks.imagenet import NETWORKS, imagenet_network
from hwgen.reference import run_layers
from tests.hwgen.random_graphs import random_input

MACS = {
    "resnet18": 1_814_073_344,
    "resnet50": 4_089_184_256,
    "mobilenet_v1": 568_740_352,
    "mobilenet_v2": 300_774_272,
}
PARAMETERS = {
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
    "mobilenet_v1": 4_231_976,
    "mobilenet_v2": 3_504_872,
}
"""Published; each convolution's batch normalisation has two parameters per channel."""
LAYERS = {
    "resnet18": {Conv: 20, MaxPool: 1, Add: 8},
    "resnet50": {Conv: 53, MaxPool: 1, Add: 16},
    "mobilenet_v1": {Conv: 14, Depthwise: 13},
    "mobilenet_v2": {Conv: 35, Depthwise: 17, Add: 10},
}
FEATURES = {
    "resnet18": (7, 7, 512),
    "resnet50": (7, 7, 2048),
    "mobilenet_v1": (7, 7, 1024),
    "mobilenet_v2": (7, 7, 1280),
}
"""What the global average pool reads."""


@pytest.fixture(scope="module", params=NETWORKS)
def graph(request: pytest.FixtureRequest) -> LayerGraph:
    return imagenet_network(request.param)


def parameters(graph: LayerGraph) -> int:
    convolutions = [layer for layer in graph.layers() if isinstance(layer, Conv | Depthwise)]
    classifiers = [layer for layer in graph.layers() if isinstance(layer, FullyConnected)]
    return sum(layer.weights.size + 2 * len(layer.bias) for layer in convolutions) + sum(
        layer.weights.size + len(layer.bias) for layer in classifiers
    )


def test_macs_and_parameters_are_the_published_ones(graph: LayerGraph) -> None:
    assert graph.total_macs == MACS[graph.name]
    assert parameters(graph) == PARAMETERS[graph.name]


def test_layers_are_the_published_ones(graph: LayerGraph) -> None:
    kinds = [type(layer) for layer in graph.layers()]
    for kind, count in LAYERS[graph.name].items():
        assert kinds.count(kind) == count
    pool, classifier = list(graph.layers())[-2:]
    assert graph.operands(pool)[0].output.shape == FEATURES[graph.name]
    assert (graph.input.output.shape, classifier.output.shape) == ((224, 224, 3), (1, 1, 1000))


def test_every_layer_can_be_computed(graph: LayerGraph) -> None:
    for layer in graph.layers():
        check_layer(layer, graph.operands(layer))


def test_resnet50_strides_in_its_3x3_convolutions() -> None:
    convolutions = [layer for layer in imagenet_network("resnet50").layers() if isinstance(layer, Conv)]
    strided = {layer.name: layer.window.kernel for layer in convolutions if layer.window.stride == (2, 2)}
    downsampling = {f"layer{stage}.0.{part}" for stage in (2, 3, 4) for part in ("conv2", "downsample")}
    assert set(strided) == {"conv1"} | downsampling
    assert all(strided[f"layer{stage}.0.conv2"] == (3, 3) for stage in (2, 3, 4))


def test_weights_follow_from_the_seed() -> None:
    first, same, other = (imagenet_network("mobilenet_v2", seed)["last"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.weights, same.weights)
    assert (first.weights != other.weights).any()


def test_activations_neither_die_nor_saturate(graph: LayerGraph) -> None:
    tensors = run_layers(graph, random_input(np.random.default_rng(0), graph))
    for layer in graph.layers():
        values = tensors[layer.name].astype(int)
        assert values.std() > 8, layer.name
        assert (values == INT8_MAX).mean() < 0.05, layer.name
        assert (values == INT8_MIN).mean() < 0.6, layer.name


def test_unknown_network_is_refused() -> None:
    with pytest.raises(InputError, match=r"resnet34.*accepted: resnet18, resnet50, mobilenet_v1, mobilenet_v2"):
        imagenet_network("resnet34")
