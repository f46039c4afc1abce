"""The state of one TensorFlow Lite file's translation, and the checks that the operators share."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from hwgen.arithmetic import ACTIVATION_BOUNDS, output_clamp
from hwgen.errors import ModelFileError, UnsupportedOperatorError
from hwgen.graph import INT8_MAX, INT8_MIN, Layer, LayerGraph, TensorType
from hwgen.importers.flatbuffer import OperatorRecord, TensorRecord

MAX_TENSOR_ELEMENTS = 2**27
"""More than an 8K image has: beyond it a size is taken for damage."""
ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
"""ActivationFunctionType's names by value."""
NO_PADDING = (0, 0, 0, 0)
SCALE_RANGE = (2.0**-100, 2.0**100)
"""Scales whose products and quotients stay finite."""


@dataclass(frozen=True, eq=False)
class Value:
    """What a tensor of the file is: a layer's output, perhaps under other dimensions, padding or host operators."""

    layer: Layer
    shape: tuple[int, int, int]
    padding: tuple[int, int, int, int] = NO_PADDING
    host_operators: tuple[str, ...] = ()


def label(operator: OperatorRecord) -> str:
    """The operator as error messages name it."""
    return f"operator {operator.index} ({operator.name})"


def option(operator: OperatorRecord, field: str) -> int:
    """One of the operator's options; raises ModelFileError where it has none."""
    if operator.options is None:
        raise ModelFileError(f"{label(operator)} lacks its options")
    return operator.options[field]


def tensor_type(tensor: TensorRecord) -> TensorType:
    """The type of an int8 activation tensor, its leading batch of 1 dropped."""
    if not 2 <= len(tensor.shape) <= 4 or tensor.shape[0] != 1 or tensor.dynamic or min(tensor.shape) < 1:
        raise ModelFileError(
            f"tensor {tensor.name!r} has shape {tensor.shape}; accepted: batch 1 of static height, width, channels"
        )
    if prod(tensor.shape) > MAX_TENSOR_ELEMENTS:
        raise ModelFileError(f"tensor {tensor.name!r} has {prod(tensor.shape)} elements; accepted: up to 2**27")
    _check_scales(tensor)
    if len(tensor.scales) != 1 or not INT8_MIN <= tensor.zero_points[0] <= INT8_MAX:
        raise ModelFileError(f"tensor {tensor.name!r} is not quantised per tensor with an int8 zero point")
    *outer, channels = tensor.shape[1:]
    height, width = (1,) * (2 - len(outer)) + tuple(outer)
    return TensorType((height, width, channels), float(tensor.scales[0]), int(tensor.zero_points[0]))


def _check_scales(tensor: TensorRecord) -> None:
    if not ((tensor.scales >= SCALE_RANGE[0]) & (tensor.scales <= SCALE_RANGE[1])).all():
        raise ModelFileError(f"tensor {tensor.name!r} has a scale out of range; accepted: 2**-100 to 2**100")
    if len(tensor.zero_points) != len(tensor.scales):
        raise ModelFileError(f"tensor {tensor.name!r} has {len(tensor.zero_points)} zero points")


class Translation:
    """The graph built so far and the value of every tensor computed so far.

    All methods raise ModelFileError for what no valid file contains, UnsupportedOperatorError for what no layer
    expresses.
    """

    def __init__(self, tensors: tuple[TensorRecord, ...], graph: LayerGraph, input_tensor: int) -> None:
        self.tensors = tensors
        self.graph = graph
        self.values = {input_tensor: Value(graph.input, graph.input.output.shape)}

    def value(self, operator: OperatorRecord, operand: int) -> Value:
        """The value of the operator's activation operand, whatever its dimensions."""
        tensor = self.tensors[operator.inputs[operand]]
        if tensor.index not in self.values:
            what = "a constant" if tensor.data is not None else "not computed before it"
            raise UnsupportedOperatorError(
                f"{label(operator)}: its operand {tensor.name!r} is {what}; accepted: a layer"
            )
        return self.values[tensor.index]

    def image(self, operator: OperatorRecord, operand: int) -> Value:
        """The value of an operand that the accelerator reads as height x width x channels, perhaps padded."""
        value = self.value(operator, operand)
        if value.padding == NO_PADDING and value.shape != value.layer.output.shape:
            raise UnsupportedOperatorError(
                f"{label(operator)}: reads {value.layer.output.shape} reshaped to {value.shape}; accepted: RESHAPE "
                "before FULLY_CONNECTED, at the input or at the end"
            )
        return self.on_chip(operator, value)

    def on_chip(self, operator: OperatorRecord, value: Value) -> Value:
        if "SOFTMAX" in value.host_operators:
            raise UnsupportedOperatorError(
                f"{label(operator)}: follows SOFTMAX, which runs on the host at the end only"
            )
        return value

    def unpadded(self, operator: OperatorRecord, value: Value) -> Value:
        if value.padding != NO_PADDING:
            raise UnsupportedOperatorError(f"{label(operator)}: follows PAD, which only a convolution may follow")
        return value

    def type_of(self, operator: OperatorRecord, tensor: int) -> TensorType:
        """The type of an activation tensor that ``operator`` reads or writes."""
        record = self.tensors[tensor]
        if record.dtype != "INT8":
            raise UnsupportedOperatorError(
                f"{label(operator)}: tensor {record.name!r} is {record.dtype}; accepted: INT8"
            )
        return tensor_type(record)

    def output_type(self, operator: OperatorRecord) -> TensorType:
        return self.type_of(operator, operator.outputs[0])

    def constant(self, operator: OperatorRecord, operand: int, dtype: str) -> np.ndarray:
        """A constant operand of the given type, in its own shape."""
        tensor = self.tensors[operator.inputs[operand]]
        if tensor.dtype != dtype or tensor.sparse:
            kind = f"sparse {tensor.dtype}" if tensor.sparse else tensor.dtype
            raise UnsupportedOperatorError(
                f"{label(operator)}: tensor {tensor.name!r} is {kind}; accepted: dense {dtype}"
            )
        if tensor.data is None:
            raise UnsupportedOperatorError(f"{label(operator)}: tensor {tensor.name!r} is not a constant")
        numpy_type = np.dtype(dtype.lower())
        if min(tensor.shape, default=1) < 1 or prod(tensor.shape) * numpy_type.itemsize != len(tensor.data):
            raise ModelFileError(f"constant {tensor.name!r} of shape {tensor.shape} has {len(tensor.data)} bytes")
        return (
            np.frombuffer(tensor.data.tobytes(), numpy_type.newbyteorder("<")).astype(numpy_type).reshape(tensor.shape)
        )

    def weights(self, operator: OperatorRecord, channel_axis: int, rank: int) -> tuple[np.ndarray, np.ndarray]:
        """int8 weights and their float32 scales, one or one per channel of ``channel_axis``."""
        weights = self.constant(operator, 1, "INT8")
        tensor = self.tensors[operator.inputs[1]]
        _check_scales(tensor)
        if weights.ndim != rank:
            raise ModelFileError(f"{label(operator)}: its weights have {weights.ndim} dimensions; accepted: {rank}")
        if len(tensor.scales) not in (1, weights.shape[channel_axis]):
            raise ModelFileError(f"{label(operator)}: its weights have {len(tensor.scales)} scales")
        if len(tensor.scales) > 1 and tensor.quantised_dimension != channel_axis:
            raise UnsupportedOperatorError(f"{label(operator)}: weights are not quantised along the output channels")
        if tensor.zero_points.any():
            raise UnsupportedOperatorError(f"{label(operator)}: weights have zero points; accepted: symmetric weights")
        return weights, tensor.scales

    def bias(self, operator: OperatorRecord, channels: int) -> np.ndarray:
        """int32 [channels], zeros where the operator has none."""
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            return np.zeros(channels, np.int32)
        bias = self.constant(operator, 2, "INT32")
        if bias.shape != (channels,):
            raise ModelFileError(f"{label(operator)}: its bias has shape {bias.shape}; accepted: ({channels},)")
        return bias

    def clamp(self, operator: OperatorRecord, output: TensorType) -> tuple[int, int]:
        """The output clamp of the fused activation."""
        code = option(operator, "FusedActivationFunction")
        activation = ACTIVATIONS[code] if 0 <= code < len(ACTIVATIONS) else f"activation {code}"
        if activation not in ACTIVATION_BOUNDS:
            accepted = ", ".join(ACTIVATION_BOUNDS)
            raise UnsupportedOperatorError(f"{label(operator)}: fused {activation}; accepted: {accepted}")
        return output_clamp(activation, output.scale, output.zero_point)

    def append(self, layer: Layer, *operands: Layer) -> Value:
        """Adds ``layer``, which reads ``operands``, to the graph."""
        self.graph.add(layer, *(operand.name for operand in operands))
        return Value(layer, layer.output.shape)
