"""Torch building blocks that the spaces share. Convolutions have no bias: a batch normalisation follows each."""

from __future__ import annotations

from torch import Tensor, nn


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution with same padding, then batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


def relu_conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """ReLU, convolution with same padding, batch normalisation: NAS-Bench-201's ``nor_conv``."""
    return nn.Sequential(nn.ReLU(), *conv_bn(inputs, outputs, kernel, stride))


class InvertedResidual(nn.Module):
    """MobileNetV2's block: 1x1 expansion, depthwise convolution, linear 1x1 projection, shortcut where shapes agree."""

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int, expansion: int, stride: int, activation: type[nn.Module]
    ) -> None:
        super().__init__()
        hidden = inputs * expansion
        expand = [*conv_bn(inputs, hidden, 1), activation()] if expansion > 1 else []
        self.expand = nn.Sequential(*expand)
        self.depthwise = nn.Sequential(*conv_bn(hidden, hidden, kernel, stride, groups=hidden), activation())
        self.project = conv_bn(hidden, outputs, 1)
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.has_shortcut else y


def head(inputs: int, features: int, classes: int, activation: type[nn.Module]) -> nn.Sequential:
    """1x1 convolution to ``features``, batch normalisation, activation, global average pool, classifier."""
    return nn.Sequential(
        *conv_bn(inputs, features, 1),
        activation(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(features, classes),
    )
