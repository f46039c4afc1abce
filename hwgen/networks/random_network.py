"""RandomNetwork: a LayerGraph of a given structure with random weights, whose values fill their int8 range.

Weights are standardised (each filter has zero mean) and outputs scaled to unit variance per channel, which is what
batch normalisation leaves of a trained network (Qiao et al., "Micro-Batch Training with Batch-Channel Normalization
and Weight Standardization", 2019). So neither do activations die nor saturate, at any depth, and a comparison of RTL
and reference on them is worth something.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import erf, exp, hypot, pi, sqrt

import numpy as np

from hwgen.arithmetic import add_scales, output_clamp, quantise_multiplier
from hwgen.graph import (
    INT8_MAX,
    INT8_MIN,
    Add,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Input,
    LayerGraph,
    MaxPool,
    Requantisation,
    Rounding,
    TensorType,
    Window,
)

BIAS_SPREAD = 0.25
"""Standard deviation of the biases, relative to that of the sums they are added to."""
DEVIATIONS_IN_RANGE = 4.5
"""Standard deviations of a tensor's values, each way, that its int8 range holds."""
INPUT = TensorType((1, 1, 1), 1 / 64, 0)
"""Quantisation of the images; uniform int8 values have about unit variance."""


@dataclass(frozen=True)
class Value:
    """A layer's output while its readers are built: its type, and what its real values are like."""

    name: str
    type: TensorType
    mean: float
    deviation: float


class RandomNetwork:
    """Appends layers with seeded random weights to a LayerGraph; methods return the new layer's Value."""

    def __init__(self, name: str, input_shape: tuple[int, int, int], *, activation: str, seed: int) -> None:
        self.input = Value("input", replace(INPUT, shape=input_shape), 0.0, 1.15)
        self.graph = LayerGraph(name, Input(self.input.name, self.input.type))
        self._activation = activation
        self._rng = np.random.default_rng(seed)

    def conv(
        self, name: str, source: Value, channels: int, kernel: int, stride: int = 1, *, linear: bool = False
    ) -> Value:
        """A convolution padded by ``kernel // 2`` on every side, then the network's activation unless ``linear``."""
        window = _window(kernel, stride)
        shape = (*window.output_size(*source.type.shape[:2]), channels)
        filters = self._filters(channels, kernel * kernel * source.type.shape[2])
        output, clamp = self._output(name, shape, 0.0, 1.0, linear)
        weights = filters.reshape(channels, kernel, kernel, -1)
        self.graph.add(
            Conv(
                name,
                output.type,
                window,
                weights,
                *self._scaling(filters, source, output, Rounding.DOUBLE),
                clamp=clamp,
            ),
            source.name,
        )
        return output

    def depthwise(self, name: str, source: Value, kernel: int, stride: int) -> Value:
        """A depthwise convolution padded by ``kernel // 2`` on every side, then the network's activation."""
        window, channels = _window(kernel, stride), source.type.shape[2]
        shape = (*window.output_size(*source.type.shape[:2]), channels)
        filters = self._filters(channels, kernel * kernel)
        output, clamp = self._output(name, shape, 0.0, 1.0, linear=False)
        weights = np.ascontiguousarray(filters.T.reshape(kernel, kernel, channels))
        scaling = self._scaling(filters, source, output, Rounding.DOUBLE)
        self.graph.add(Depthwise(name, output.type, window, weights, *scaling, clamp=clamp), source.name)
        return output

    def fully_connected(self, name: str, source: Value, channels: int) -> Value:
        """A fully connected layer without activation: the classifier."""
        weights = self._filters(channels, source.type.elements)
        output, clamp = self._output(name, (1, 1, channels), 0.0, 1.0, linear=True)
        scaling = self._scaling(weights, source, output, Rounding.SINGLE)
        self.graph.add(FullyConnected(name, output.type, weights, *scaling, clamp=clamp), source.name)
        return output

    def add(self, name: str, left: Value, right: Value, *, linear: bool) -> Value:
        """The sum of two tensors, then the network's activation unless ``linear``."""
        mean, deviation = left.mean + right.mean, hypot(left.deviation, right.deviation)
        output, clamp = self._output(name, left.type.shape, mean, deviation, linear)
        scales = add_scales(left.type.scale, right.type.scale, output.type.scale)
        self.graph.add(Add(name, output.type, *scales, clamp=clamp), left.name, right.name)
        return output

    def max_pool(self, name: str, source: Value, kernel: int, stride: int) -> Value:
        """A maximum pool padded by ``kernel // 2`` on every side."""
        window = _window(kernel, stride)
        shape = (*window.output_size(*source.type.shape[:2]), source.type.shape[2])
        # Nine normal values' maximum lies 1.5 deviations above their mean.
        output = Value(name, replace(source.type, shape=shape), source.mean + 1.5 * source.deviation, source.deviation)
        self.graph.add(MaxPool(name, output.type, window), source.name)
        return output

    def global_average_pool(self, name: str, source: Value) -> Value:
        """The mean of each channel."""
        height, width, channels = source.type.shape
        # Channels differ in their means far more than independent pixels would leave.
        output = Value(name, replace(source.type, shape=(1, 1, channels)), source.mean, source.deviation / 4)
        self.graph.add(AveragePool(name, output.type, Window((height, width))), source.name)
        return output

    def _filters(self, count: int, depth: int) -> np.ndarray:
        """int8 [count, depth], normal; each row has zero mean and uses the whole range."""
        real = self._rng.standard_normal((count, depth), np.float32)
        real -= real.mean(axis=1, keepdims=True)
        real *= INT8_MAX / np.abs(real).max(axis=1, keepdims=True)
        return np.rint(real).astype(np.int8)

    def _scaling(
        self, filters: np.ndarray, source: Value, output: Value, rounding: Rounding
    ) -> tuple[np.ndarray, Requantisation]:
        """Bias (int32 [count]) and scaling that give each filter's output about unit variance."""
        norms = np.sqrt(np.square(filters, dtype=np.float64).sum(axis=1))
        spreads = norms * (source.deviation / source.type.scale)
        biases = np.rint(self._rng.normal(0.0, BIAS_SPREAD, len(filters)) * spreads)
        factors = np.array(
            [quantise_multiplier(float(1 / (spread * output.type.scale))) for spread in spreads], np.int32
        )
        return biases.astype(np.int32), Requantisation(factors[:, 0].copy(), factors[:, 1].copy(), rounding)

    def _output(
        self, name: str, shape: tuple[int, int, int], mean: float, deviation: float, linear: bool
    ) -> tuple[Value, tuple[int, int]]:
        """The output for normal sums of this ``mean`` and ``deviation``, and the clamp that activates them."""
        if linear:
            scale = (abs(mean) + DEVIATIONS_IN_RANGE * deviation) / INT8_MAX
            return Value(name, TensorType(shape, scale, 0), mean, deviation), (INT8_MIN, INT8_MAX)
        scale = (mean + DEVIATIONS_IN_RANGE * deviation) / (INT8_MAX - INT8_MIN)
        clamp = output_clamp(self._activation, scale, INT8_MIN)
        return Value(name, TensorType(shape, scale, INT8_MIN), *_rectified(mean, deviation)), clamp


def _window(kernel: int, stride: int) -> Window:
    return Window((kernel, kernel), (stride, stride), (kernel // 2,) * 4)


def _rectified(mean: float, deviation: float) -> tuple[float, float]:
    """Mean and standard deviation of max(0, x) for normal x."""
    ratio = mean / deviation
    positive, density = (1 + erf(ratio / sqrt(2))) / 2, exp(-ratio * ratio / 2) / sqrt(2 * pi)
    first = mean * positive + deviation * density
    second = (mean * mean + deviation * deviation) * positive + mean * deviation * density
    return first, sqrt(second - first * first)
