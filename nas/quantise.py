"""Post-training quantisation of a torch network to a LayerGraph.

TensorFlow Lite's int8 specification: weights symmetric per output channel, activations asymmetric per tensor, int32
bias at the product of both scales. Ranges come from running the float network on calibration images.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from hwgen.arithmetic import add_scales, quantise_multiplier
from hwgen.graph import (
    INT8_MAX,
    INT8_MIN,
    Add,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Input,
    Layer,
    LayerGraph,
    Requantisation,
    Rounding,
    TensorType,
    Window,
)
from hwgen.reference import run
from nas.batch_norm import recalibrate
from nas.calibrate import activation_types
from nas.data import Split
from nas.progress import progress_bar
from nas.spaces import Space
from nas.trace import (
    INPUT,
    FloatAdd,
    FloatAveragePool,
    FloatConv,
    FloatLayer,
    FloatLinear,
    trace,
)

IMAGES_PER_RUN = 256
LEAST_REAL_MULTIPLIER = 2.0**-16
"""Least requantisation factor: keeps the bias of a channel with tiny weights within 32 bits."""


def quantise(network: nn.Module, calibration_images: Tensor, name: str) -> LayerGraph:
    """The int8 network; ``calibration_images`` are float [N, C, H, W] in [0, 1], a few hundred training images.

    Raises UnsupportedNetworkError where the accelerator cannot run a part of the network.
    """
    layers = trace(network.eval())
    types = activation_types(layers, calibration_images)
    graph = LayerGraph(name, Input(INPUT, types[INPUT]))
    for layer in layers:
        operands = [types[operand] for operand in layer.operands]
        graph.add(_quantised(layer, operands, types[layer.name]), *layer.operands)
    return graph


def structure(space: Space, architecture: str) -> LayerGraph:
    """The architecture's LayerGraph with random weights: what a cost that does not depend on them needs.

    Its batch statistics are those of the random images that calibrate it, so that every layer's values fill their
    int8 range as a trained network's do, and a comparison of RTL and reference is worth something.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = space.build(architecture)
        images = torch.rand(2, space.image.channels, space.image.size, space.image.size)
    recalibrate(network, images)
    return quantise(network, images, f"{space.name}:{architecture}")


def quantise_images(graph: LayerGraph, images: Tensor) -> np.ndarray:
    """Float images [N, C, H, W] in the network's input quantisation: int8 [N, H, W, C]."""
    type_ = graph.input.output
    scaled = np.rint(images.permute(0, 2, 3, 1).numpy() / type_.scale) + type_.zero_point
    return np.clip(scaled, INT8_MIN, INT8_MAX).astype(np.int8)


def quantised_accuracy(graph: LayerGraph, split: Split) -> float:
    """The fraction of images that the int8 network classifies correctly, by the bit-exact reference."""
    images = quantise_images(graph, split.inputs)
    correct = 0
    with progress_bar() as progress:
        for start in progress.track(range(0, len(split), IMAGES_PER_RUN), description="classifying in int8"):
            part = slice(start, start + IMAGES_PER_RUN)
            logits = run(graph, images[part]).reshape(len(images[part]), -1)
            correct += int((logits.argmax(axis=1) == split.labels[part]).sum())
    return correct / len(split)


def _quantised(layer: FloatLayer, operands: list[TensorType], output: TensorType) -> Layer:
    clamp = _int8_clamp(layer.clamp, output)
    match layer:
        case FloatConv():
            return _convolution(layer, operands[0], output, clamp)
        case FloatLinear():
            height, width, channels = operands[0].shape
            rows = layer.weight.reshape(-1, channels, height, width).permute(0, 2, 3, 1).flatten(1)
            weights, bias, requantisation = _weights(rows, layer.bias, operands[0], output, Rounding.SINGLE)
            loaded = _int8_clamp(layer.input_clamp, operands[0])
            return FullyConnected(layer.name, output, weights, bias, requantisation, clamp=clamp, input_clamp=loaded)
        case FloatAdd():
            left, right = operands
            return Add(layer.name, output, *add_scales(left.scale, right.scale, output.scale), clamp=clamp)
        case FloatAveragePool():
            height, width, _ = operands[0].shape
            return AveragePool(layer.name, output, layer.window or Window((height, width)), clamp=clamp)
    raise TypeError(f"layer {layer.name!r}: no quantisation for {type(layer).__name__}")


def _convolution(layer: FloatConv, operand: TensorType, output: TensorType, clamp: tuple[int, int]) -> Conv | Depthwise:
    kernel = layer.weight.permute(0, 2, 3, 1)  # [out, kh, kw, in / groups], as TensorFlow Lite stores it
    weights, bias, requantisation = _weights(kernel, layer.bias, operand, output, Rounding.DOUBLE)
    clamps = {"clamp": clamp, "input_clamp": _int8_clamp(layer.input_clamp, operand)}
    if layer.groups > 1:
        depthwise = np.ascontiguousarray(weights[..., 0].transpose(1, 2, 0))
        return Depthwise(layer.name, output, layer.window, depthwise, bias, requantisation, **clamps)
    return Conv(layer.name, output, layer.window, weights, bias, requantisation, **clamps)


def _weights(
    weight: Tensor, bias: Tensor, operand: TensorType, output: TensorType, rounding: Rounding
) -> tuple[np.ndarray, np.ndarray, Requantisation]:
    """int8 weights of the same shape (output channels first), int32 bias [out], and their scaling."""
    real = weight.double().numpy()
    largest = np.abs(real).reshape(len(real), -1).max(axis=1)
    scales = np.maximum(largest / INT8_MAX, LEAST_REAL_MULTIPLIER * output.scale / operand.scale)
    quantised = np.rint(real / scales.reshape(-1, *[1] * (real.ndim - 1)))
    bias_limit = float(2**30)
    quantised_bias = np.clip(np.rint(bias.double().numpy() / (scales * operand.scale)), -bias_limit, bias_limit)
    factors = [quantise_multiplier(float(scale * operand.scale / output.scale)) for scale in scales]
    requantisation = Requantisation(
        np.array([multiplier for multiplier, _ in factors], np.int32),
        np.array([shift for _, shift in factors], np.int32),
        rounding,
    )
    return quantised.astype(np.int8), quantised_bias.astype(np.int32), requantisation


def _int8_clamp(clamp: tuple[float, float], type_: TensorType) -> tuple[int, int]:
    """A real-valued clamp in the quantisation of the tensor that it bounds."""
    low, high = (np.clip(bound / type_.scale + type_.zero_point, INT8_MIN, INT8_MAX) for bound in clamp)
    return int(np.rint(low)), int(np.rint(high))
