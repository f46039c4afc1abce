"""Tracing: the float layers compute what the torch network computes, with normalisation and ReLU folded away."""

from math import inf

import pytest
import torch
from torch import nn

from nas.trace import FloatAdd, FloatConv, FloatLinear, UnsupportedNetworkError, execute, trace


def normalised(channels: int) -> nn.BatchNorm2d:
    """A batch normalisation with statistics worth folding."""
    module = nn.BatchNorm2d(channels)
    for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
        tensor.uniform_(0.5, 2)
    return module


def output(network: nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    layers = trace(network.eval())
    with torch.no_grad():
        return network(images), dict(execute(layers, images))[layers[-1].name]


def test_every_space_s_networks_trace_exactly(examples, digits):
    images = digits.test.take(32).inputs
    for example in examples:
        expected, traced = output(example.trained.network, images)
        assert torch.allclose(traced, expected, atol=1e-4), example.architecture


def test_normalisation_after_a_convolution_folds_into_it():
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), normalised(4))
    (layer,) = trace(network.eval())
    assert isinstance(layer, FloatConv)
    expected, traced = output(network, torch.randn(2, 3, 5, 5))
    assert torch.allclose(traced, expected, atol=1e-5)


def test_normalisation_of_a_tensor_that_others_read_is_a_depthwise_convolution():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 1), normalised(4)

        def forward(self, x):
            y = self.conv(x)
            return self.norm(y) + y

    network = Network().eval()
    conv, norm, add = trace(network)
    assert (conv.groups, norm.groups, norm.weight.shape) == (1, 4, (4, 1, 1, 1))
    assert isinstance(add, FloatAdd)
    expected, traced = output(network, torch.randn(2, 3, 5, 5))
    assert torch.allclose(traced, expected, atol=1e-5)


class Branches(nn.Module):
    """ReLU and convolution beside a path that reads the same tensor with or without the ReLU."""

    def __init__(self, other: nn.Module) -> None:
        super().__init__()
        self.stem, self.relu, self.conv, self.other = nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Conv2d(2, 2, 1), other

    def forward(self, x):
        y = self.stem(x)
        return self.conv(self.relu(y)) + self.other(y)


def test_a_relu_that_all_readers_want_clamps_the_output():
    stem, conv, *_ = trace(Branches(nn.Sequential(nn.ReLU(), nn.Conv2d(2, 2, 1))).eval())
    assert stem.clamp == (0, inf)
    assert conv.input_clamp == (-inf, inf)


def test_a_relu_that_only_some_readers_want_clamps_their_operand():
    network = Branches(nn.Identity())
    stem, conv, add = trace(network.eval())
    assert stem.clamp == (-inf, inf)
    assert conv.input_clamp == (0, inf)
    assert add.operands == (conv.name, stem.name)
    expected, traced = output(network, torch.randn(4, 1, 3, 3))
    assert torch.allclose(traced, expected, atol=1e-6)


def test_different_clamps_of_one_tensor_stay_with_their_readers():
    network = Branches(nn.Sequential(nn.ReLU6(), nn.Conv2d(2, 2, 1)))
    stem, first, second, _ = trace(network.eval())
    assert stem.clamp == (-inf, inf)
    assert (first.input_clamp, second.input_clamp) == ((0, inf), (0, 6))
    expected, traced = output(network, 20 * torch.randn(4, 1, 3, 3))
    assert torch.allclose(traced, expected, atol=1e-5)


def test_layers_that_the_output_does_not_need_are_left_out():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1)

        def forward(self, x):
            y = self.used(x)
            self.unused(y)
            return y

    assert [layer.name for layer in trace(Network().eval())] == ["used"]


def test_the_classifier_reads_channels_first():
    network = nn.Sequential(nn.Conv2d(1, 3, 1), nn.Flatten(), nn.Linear(12, 5))
    assert isinstance(trace(network.eval())[-1], FloatLinear)
    expected, traced = output(network, torch.randn(2, 1, 2, 2))
    assert torch.allclose(traced, expected, atol=1e-6)


class Multiplied(nn.Module):
    def forward(self, x):
        return x * x


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Sequential(nn.Sigmoid()), "0: Sigmoid is not supported; accepted: Conv2d"),
        (nn.Sequential(nn.Conv2d(4, 4, 1, groups=2)), "0: 2 groups; accepted: 1, or one per input channel"),
        (nn.Sequential(nn.Conv2d(4, 4, 3, dilation=2)), "0: dilation"),
        (nn.Sequential(nn.AvgPool2d(3, 1, 1)), "0: average pool counts padding"),
        (nn.Sequential(nn.AdaptiveAvgPool2d(2)), "0: output size 2; accepted: 1"),
        (Multiplied(), "is not supported; accepted: \\+ and modules"),
        (Branches(nn.Sequential(nn.ReLU6(), nn.AvgPool2d(2))), "a ReLU between stem and other_1"),
    ],
)
def test_what_the_accelerator_cannot_run_is_refused_by_name(network, message):
    with pytest.raises(UnsupportedNetworkError, match=message):
        trace(network.eval())
