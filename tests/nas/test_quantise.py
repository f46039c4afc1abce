"""Quantisation: the int8 network follows TensorFlow Lite's contract and is as accurate as the float one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hwgen.graph import INT8_MIN, Add, AveragePool, Conv, Depthwise, FullyConnected, Rounding
from hwgen.reference import run_layers
from nas.calibrate import least_squares_range
from nas.data import load_dataset
from nas.deploy import deploy
from nas.quantise import quantise, quantise_images
from nas.spaces import space, space_names
from nas.train import recipe, train_architecture

MOST_LOSS = 0.01
"""Accuracy that quantisation may cost."""


@pytest.fixture(scope="module")
def graphs(examples, digits):
    return [quantise(e.trained.network, digits.train.take(256).inputs, e.architecture) for e in examples]


def test_int8_networks_of_every_space_are_as_accurate_as_the_float_ones(examples, digits):
    for example in examples:
        deployed = deploy(example.trained.network, digits, example.architecture)
        before = (example.trained.validation_accuracy + example.trained.test_accuracy) / 2
        after = (deployed.validation_accuracy + deployed.test_accuracy) / 2
        assert after >= before - MOST_LOSS, example.architecture


@pytest.mark.slow
@pytest.mark.parametrize("name", space_names("digits"))
def test_int8_networks_of_many_architectures_are_as_accurate_as_the_float_ones(name, digits):
    space_ = space(name, "digits")
    rng = np.random.default_rng(11)
    for _ in range(8):
        architecture = space_.random(rng)
        trained = train_architecture(space_, architecture, digits, recipe("digits", 12))
        deployed = deploy(trained.network, digits, architecture)
        before = (trained.validation_accuracy + trained.test_accuracy) / 2
        after = (deployed.validation_accuracy + deployed.test_accuracy) / 2
        assert after >= before - MOST_LOSS, architecture


@pytest.mark.slow
def test_an_int8_cifar10_network_is_as_accurate_as_the_float_one(data_dir):
    whole = load_dataset("cifar10", data_dir)
    dataset = replace(
        whole, train=whole.train.take(5000), validation=whole.validation.take(500), test=whole.test.take(2000)
    )
    space_ = space("mbconv", "cifar10")
    architecture = "w16-k3e3+w24-k5e3+w48-k3e6+w96-k3e3"
    trained = train_architecture(space_, architecture, dataset, recipe("cifar10", 2))
    assert deploy(trained.network, dataset, architecture).test_accuracy >= trained.test_accuracy - MOST_LOSS


def test_every_layer_stays_close_to_the_float_layer(examples, graphs, digits):
    """Signal to quantisation noise of the logits, in dB."""
    for example, graph in zip(examples, graphs, strict=True):
        output = run_layers(graph, quantise_images(graph, digits.test.inputs))[graph.output_name]
        type_ = graph.output.output
        real = (output.reshape(len(output), -1).astype(float) - type_.zero_point) * type_.scale
        with torch.no_grad():
            expected = example.trained.network(digits.test.inputs).numpy()
        noise = np.square(real - expected).mean()
        assert 10 * np.log10(np.square(expected).mean() / noise) > 15, example.architecture


def test_pixels_become_int8_without_loss(graphs, digits):
    quantised = quantise_images(graphs[0], digits.test.inputs)
    assert quantised.dtype == np.int8
    assert np.array_equal(quantised.astype(int) + 128, digits.test.images)


def test_convolutions_round_twice_and_the_classifier_once(graphs):
    for graph in graphs:
        for layer in graph.layers():
            if isinstance(layer, Conv | Depthwise):
                assert layer.requantisation.rounding is Rounding.DOUBLE
            if isinstance(layer, FullyConnected):
                assert layer.requantisation.rounding is Rounding.SINGLE


def test_weights_are_symmetric_and_multipliers_normalised(graphs):
    for graph in graphs:
        for layer in graph.layers():
            if isinstance(layer, Conv | Depthwise | FullyConnected):
                assert layer.weights.dtype == np.int8
                assert layer.weights.min() > INT8_MIN
                assert layer.bias.dtype == np.int32
                assert (layer.requantisation.multiplier >= 2**30).all()


def test_average_pools_share_their_operand_s_quantisation(graphs):
    pools = [(g, layer) for g in graphs for layer in g.layers() if isinstance(layer, AveragePool)]
    assert pools
    for graph, pool in pools:
        (operand,) = graph.operands(pool)
        assert (pool.output.scale, pool.output.zero_point) == (operand.output.scale, operand.output.zero_point)


def test_adds_use_twice_the_larger_scale(graphs):
    adds = [(g, layer) for g in graphs for layer in g.layers() if isinstance(layer, Add)]
    assert adds
    for graph, add in adds:
        scales = [operand.output.scale for operand in graph.operands(add)]
        factors = [scale.multiplier / 2**31 * 2.0**scale.shift for scale in add.operand_scales]
        assert factors == pytest.approx([scale / (2 * max(scales)) for scale in scales])
        rescale = add.output_scale.multiplier / 2**31 * 2.0**add.output_scale.shift
        assert rescale == pytest.approx(2 * max(scales) / (2**20 * add.output.scale))


def test_scales_are_single_precision_as_tensorflow_lite_stores_them(graphs):
    for graph in graphs:
        for layer in graph.layers():
            assert layer.output.scale == float(np.float32(layer.output.scale))


def test_a_relu_before_a_convolution_clamps_at_the_operand_s_zero_point():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.relu, self.conv = nn.Conv2d(1, 4, 1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x):
            y = self.stem(x)
            return self.conv(self.relu(y)) + y

    torch.manual_seed(0)
    graph = quantise(Network(), torch.rand(8, 1, 6, 6), "branches")
    stem, conv, _ = graph.layers()
    assert stem.output.zero_point > INT8_MIN
    assert conv.input_clamp == (stem.output.zero_point, 127)


def test_a_channel_with_no_weights_keeps_its_bias():
    network = nn.Sequential(nn.Conv2d(1, 2, 1))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([1.0, 0.0]).reshape(2, 1, 1, 1))
        network[0].bias.copy_(torch.tensor([0.0, 0.75]))
    images = torch.rand(16, 1, 4, 4)
    graph = quantise(network, images, "dead channel")
    output = run_layers(graph, quantise_images(graph, images))[graph.output_name]
    type_ = graph.output.output
    real = (output[..., 1].astype(float) - type_.zero_point) * type_.scale
    assert np.abs(real - 0.75).max() <= type_.scale


def test_a_constant_tensor_has_a_range():
    assert least_squares_range(torch.zeros(4)).scale > 0


def test_rare_extremes_are_clipped():
    values = torch.randn(30_000, generator=torch.Generator().manual_seed(0))
    assert least_squares_range(values).scale < float(values.max() - values.min()) / 255


def test_evenly_spread_values_set_the_range():
    assert least_squares_range(torch.linspace(0, 1, 30_000)).scale == pytest.approx(1 / 255, rel=0.05)
