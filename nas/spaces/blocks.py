"""Torch building blocks that the spaces share. Convolutions have no bias: a batch normalisation follows each."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn


def named(**modules: nn.Module) -> nn.Sequential:
    """The modules in order; their names become part of the names of parameters and layers."""
    return nn.Sequential(OrderedDict(modules))


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution with same padding, then batch normalisation."""
    return named(
        conv=nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        norm=nn.BatchNorm2d(outputs),
    )


def relu_conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """ReLU, convolution with same padding, batch normalisation: NAS-Bench-201's ``nor_conv``."""
    return named(relu=nn.ReLU(), **dict(conv_bn(inputs, outputs, kernel, stride).named_children()))


def conv_bn_act(
    inputs: int, outputs: int, kernel: int, activation: type[nn.Module], stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution with same padding, batch normalisation, activation."""
    return named(**dict(conv_bn(inputs, outputs, kernel, stride, groups).named_children()), activation=activation())


class InvertedResidual(nn.Module):
    """MobileNetV2's block: 1x1 expansion, depthwise convolution, linear 1x1 projection, shortcut where shapes agree."""

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int, expansion: int, stride: int, activation: type[nn.Module]
    ) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = conv_bn_act(inputs, hidden, 1, activation)
        self.depthwise = conv_bn_act(hidden, hidden, kernel, activation, stride, groups=hidden)
        self.project = conv_bn(hidden, outputs, 1)
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.has_shortcut else y


def head(inputs: int, features: int, classes: int, activation: type[nn.Module]) -> nn.Sequential:
    """1x1 convolution to ``features``, batch normalisation, activation, global average pool, classifier."""
    return named(
        features=conv_bn_act(inputs, features, 1, activation),
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        classifier=nn.Linear(features, classes),
    )
