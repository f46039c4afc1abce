"""The LayerGraph: the int8 network that every later stage reads.

A LayerGraph is a networkx DiGraph whose nodes are layers and whose edges carry int8 tensors. Tensors are H x W x C
(batch 1), row-major, as TensorFlow Lite stores them. A layer holds integers only: what is needed to compute its output
bit for bit under TensorFlow Lite's int8 quantisation specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod

import networkx as nx
import numpy as np

INT8_MIN, INT8_MAX = -128, 127


class Rounding(StrEnum):
    """How a layer's int32 accumulator is scaled to int8 (TensorFlow Lite's two reference roundings)."""

    DOUBLE = "double"
    """Saturating rounding doubling high multiply, then rounding right shift (convolutions, add)."""
    SINGLE = "single"
    """Once, to nearest, halves away from zero: ``(acc * multiplier + 2**(s-1) - (acc < 0)) >> s`` (fully connected).

    LiteRT's reference kernel scales in double precision and rounds as C's ``round``; where no half occurs this is
    also TensorFlow Lite's own single rounding, which rounds halves up.
    """


@dataclass(frozen=True)
class TensorType:
    """An int8 activation tensor: ``real = scale * (q - zero_point)``."""

    shape: tuple[int, int, int]
    """(height, width, channels)."""
    scale: float
    zero_point: int

    @property
    def elements(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Window:
    """A sliding window over height and width; padding is explicit: (top, bottom, left, right)."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the output for an input of ``height`` x ``width``."""
        top, bottom, left, right = self.padding
        return (
            (height + top + bottom - self.kernel[0]) // self.stride[0] + 1,
            (width + left + right - self.kernel[1]) // self.stride[1] + 1,
        )


@dataclass(frozen=True, eq=False)
class Requantisation:
    """Per-channel scaling of int32 accumulators: ``real_multiplier = multiplier / 2**31 * 2**shift``."""

    multiplier: np.ndarray
    """int32 [C], each 0 or in [2**29, 2**31): in [2**30, 2**31) but for a mean, which divides its multiplier."""
    shift: np.ndarray
    """int32 [C]; positive shifts left, as in TensorFlow Lite."""
    rounding: Rounding


@dataclass(frozen=True, eq=False)
class Layer:
    """What all layers share: a unique name, the type of the output, and the output's clamp (fused activation)."""

    name: str
    output: TensorType
    clamp: tuple[int, int] = field(default=(INT8_MIN, INT8_MAX), kw_only=True)

    @property
    def op(self) -> str:
        """The operator's name as shown to the user."""
        return OPERATOR_NAMES[type(self)]


@dataclass(frozen=True, eq=False)
class Input(Layer):
    """The network's input."""


@dataclass(frozen=True, eq=False)
class Conv(Layer):
    """2-D convolution; ``weights`` int8 [out, kernel_h, kernel_w, in], ``bias`` int32 [out]."""

    window: Window
    weights: np.ndarray
    bias: np.ndarray
    requantisation: Requantisation
    input_clamp: tuple[int, int] = field(default=(INT8_MIN, INT8_MAX), kw_only=True)
    """Clamp of the operand as it is loaded (a ReLU before the convolution)."""


@dataclass(frozen=True, eq=False)
class Depthwise(Layer):
    """Depthwise convolution; ``weights`` int8 [kernel_h, kernel_w, out]; channel o reads input o // multiplier."""

    window: Window
    weights: np.ndarray
    bias: np.ndarray
    requantisation: Requantisation
    input_clamp: tuple[int, int] = field(default=(INT8_MIN, INT8_MAX), kw_only=True)
    """Clamp of the operand as it is loaded (a ReLU before the convolution)."""


@dataclass(frozen=True, eq=False)
class FullyConnected(Layer):
    """Matrix-vector product over the flattened input; ``weights`` int8 [out, in], ``bias`` int32 [out]."""

    weights: np.ndarray
    bias: np.ndarray
    requantisation: Requantisation
    input_clamp: tuple[int, int] = field(default=(INT8_MIN, INT8_MAX), kw_only=True)
    """Clamp of the operand as it is loaded (a ReLU before the product)."""


@dataclass(frozen=True)
class Scale:
    """One fixed-point factor, ``multiplier / 2**31 * 2**shift`` (shift positive = left)."""

    multiplier: int
    shift: int


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """Elementwise sum of two tensors of one shape: each operand shifted left by 20 and scaled, the sum rescaled."""

    operand_scales: tuple[Scale, Scale]
    output_scale: Scale


@dataclass(frozen=True, eq=False)
class AveragePool(Layer):
    """Mean over the window's valid positions, halves rounded away from zero; input and output quantised alike."""

    window: Window


@dataclass(frozen=True, eq=False)
class MaxPool(Layer):
    """Maximum over the window's valid positions; input and output quantised alike."""

    window: Window


OPERATOR_NAMES: dict[type[Layer], str] = {
    Input: "input",
    Conv: "conv",
    Depthwise: "depthwise",
    FullyConnected: "fully_connected",
    Add: "add",
    AveragePool: "average_pool",
    MaxPool: "max_pool",
}


class LayerGraph:
    """An int8 network: one Input, layers in topological order of insertion, one output."""

    def __init__(self, name: str, input_layer: Input) -> None:
        self.name = name
        self.digraph = nx.DiGraph()
        self.digraph.add_node(input_layer.name, layer=input_layer, operands=())
        self.input_name = input_layer.name
        self.output_name = input_layer.name
        self.host_operators: tuple[str, ...] = ()
        """Operators after the output that the host runs (RESHAPE, SOFTMAX), in order."""

    def add(self, layer: Layer, *operands: str) -> str:
        """Append ``layer`` reading the named layers' outputs; it becomes the output. Returns its name."""
        if layer.name in self.digraph:
            raise ValueError(f"layer name {layer.name!r} is used twice")
        for operand in operands:
            if operand not in self.digraph:
                raise ValueError(f"layer {layer.name!r} reads {operand!r}, which is not in the graph")
        self.digraph.add_node(layer.name, layer=layer, operands=operands)
        for operand in operands:
            self.digraph.add_edge(operand, layer.name)
        self.output_name = layer.name
        return layer.name

    def __getitem__(self, name: str) -> Layer:
        layer: Layer = self.digraph.nodes[name]["layer"]
        return layer

    @property
    def input(self) -> Layer:
        return self[self.input_name]

    @property
    def output(self) -> Layer:
        return self[self.output_name]

    def layers(self) -> Iterator[Layer]:
        """Every layer but the input, each after those it reads."""
        return (self[name] for name in self.digraph if name != self.input_name)

    def operands(self, layer: Layer) -> tuple[Layer, ...]:
        """The layers whose outputs ``layer`` reads, in operand order (an Add may read one layer twice)."""
        names: tuple[str, ...] = self.digraph.nodes[layer.name]["operands"]
        return tuple(self[name] for name in names)

    def macs(self, layer: Layer) -> int:
        """Multiply-accumulates of ``layer`` as the literature counts them (padding included, pools and adds none)."""
        if isinstance(layer, Conv | Depthwise | FullyConnected):
            height, width, _ = layer.output.shape
            return height * width * layer.weights.size
        return 0

    @property
    def total_macs(self) -> int:
        return sum(self.macs(layer) for layer in self.layers())
