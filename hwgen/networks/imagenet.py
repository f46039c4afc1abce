"""Four networks of ImageNet size, 224 x 224 x 3 to 1000 classes, with seeded random weights.

Structures are torchvision's where it has the network (its ResNet-50 is "v1.5": the stride is in the 3x3 convolution),
and the paper's for MobileNetV1; batch normalisation is folded into the convolutions.
"""

from __future__ import annotations

from collections.abc import Callable

from hwgen.errors import InputError
from hwgen.graph import LayerGraph
from hwgen.networks.random_network import RandomNetwork, Value

IMAGE = (224, 224, 3)
CLASSES = 1000
BOTTLENECK_EXPANSION = 4
MOBILENET_V1_BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)
"""(channels, stride) of each depthwise-separable block."""
MOBILENET_V2_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""(expansion, channels, blocks, stride of the first block) of each stage of inverted residuals."""


def imagenet_network(name: str, seed: int = 0) -> LayerGraph:
    """The network of this name; InputError where there is none."""
    if name not in NETWORKS:
        raise InputError(f"network: imagenet has no {name!r}; accepted: {', '.join(NETWORKS)}")
    return NETWORKS[name](seed)


def resnet18(seed: int) -> LayerGraph:
    """He et al., "Deep Residual Learning for Image Recognition", CVPR 2016."""
    return _resnet("resnet18", (2, 2, 2, 2), _basic_block, seed)


def resnet50(seed: int) -> LayerGraph:
    """The same paper's, with the stride of a downsampling block in its 3x3 convolution."""
    return _resnet("resnet50", (3, 4, 6, 3), _bottleneck, seed)


def mobilenet_v1(seed: int) -> LayerGraph:
    """Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017."""
    network = RandomNetwork("mobilenet_v1", IMAGE, activation="RELU6", seed=seed)
    x = network.conv("conv", network.input, 32, kernel=3, stride=2)
    for index, (channels, stride) in enumerate(MOBILENET_V1_BLOCKS, start=1):
        x = network.depthwise(f"block{index}.depthwise", x, kernel=3, stride=stride)
        x = network.conv(f"block{index}.pointwise", x, channels, kernel=1)
    return _classified(network, x)


def mobilenet_v2(seed: int) -> LayerGraph:
    """Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018."""
    network = RandomNetwork("mobilenet_v2", IMAGE, activation="RELU6", seed=seed)
    x = network.conv("conv", network.input, 32, kernel=3, stride=2)
    for stage, (expansion, channels, blocks, stride) in enumerate(MOBILENET_V2_STAGES, start=1):
        for block in range(blocks):
            x = _inverted_residual(network, f"stage{stage}.{block}", x, expansion, channels, 1 if block else stride)
    return _classified(network, network.conv("last", x, 1280, kernel=1))


NETWORKS: dict[str, Callable[[int], LayerGraph]] = {
    "resnet18": resnet18,
    "resnet50": resnet50,
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": mobilenet_v2,
}


def _resnet(name: str, stages: tuple[int, ...], block: Callable[..., Value], seed: int) -> LayerGraph:
    network = RandomNetwork(name, IMAGE, activation="RELU", seed=seed)
    x = network.conv("conv1", network.input, 64, kernel=7, stride=2)
    x = network.max_pool("maxpool", x, kernel=3, stride=2)
    for stage, blocks in enumerate(stages, start=1):
        for index in range(blocks):
            stride = 2 if stage > 1 and index == 0 else 1
            x = block(network, f"layer{stage}.{index}", x, 32 << stage, stride)
    return _classified(network, x)


def _basic_block(network: RandomNetwork, name: str, x: Value, channels: int, stride: int) -> Value:
    branch = network.conv(f"{name}.conv1", x, channels, kernel=3, stride=stride)
    branch = network.conv(f"{name}.conv2", branch, channels, kernel=3, linear=True)
    return network.add(f"{name}.add", branch, _shortcut(network, name, x, channels, stride), linear=False)


def _bottleneck(network: RandomNetwork, name: str, x: Value, channels: int, stride: int) -> Value:
    wide = BOTTLENECK_EXPANSION * channels
    branch = network.conv(f"{name}.conv1", x, channels, kernel=1)
    branch = network.conv(f"{name}.conv2", branch, channels, kernel=3, stride=stride)
    branch = network.conv(f"{name}.conv3", branch, wide, kernel=1, linear=True)
    return network.add(f"{name}.add", branch, _shortcut(network, name, x, wide, stride), linear=False)


def _shortcut(network: RandomNetwork, name: str, x: Value, channels: int, stride: int) -> Value:
    if stride == 1 and x.type.shape[2] == channels:
        return x
    return network.conv(f"{name}.downsample", x, channels, kernel=1, stride=stride, linear=True)


def _inverted_residual(
    network: RandomNetwork, name: str, x: Value, expansion: int, channels: int, stride: int
) -> Value:
    narrow = x.type.shape[2]
    branch = network.conv(f"{name}.expand", x, expansion * narrow, kernel=1) if expansion > 1 else x
    branch = network.depthwise(f"{name}.depthwise", branch, kernel=3, stride=stride)
    branch = network.conv(f"{name}.project", branch, channels, kernel=1, linear=True)
    return network.add(f"{name}.add", branch, x, linear=True) if stride == 1 and narrow == channels else branch


def _classified(network: RandomNetwork, x: Value) -> LayerGraph:
    network.fully_connected("fc", network.global_average_pool("avgpool", x), CLASSES)
    return network.graph
