"""Writes small TensorFlow Lite files, so that tests can feed LiteRT and the importer networks that nobody trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import flatbuffers
import numpy as np
import tflite

OPTION_TYPES = {
    "ADD": "AddOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "MUL": "MulOptions",
    "PAD": "PadOptions",
    "PADV2": "PadV2Options",
    "QUANTIZE": "QuantizeOptions",
    "RESHAPE": "ReshapeOptions",
    "SOFTMAX": "SoftmaxOptions",
}
"""The options table of each operator that has one."""
VERSIONS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 5, "QUANTIZE": 2, "RESHAPE": 1}
"""The versions of the operators' int8 forms, where they are not 2."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the file; two operators share one by naming the same object."""

    shape: tuple[int, ...]
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = (0,)
    """One per scale, or one for all."""
    axis: int = 0
    """The quantised dimension, where there are several scales."""
    data: np.ndarray | None = None
    """The values of a constant; None for an activation."""
    dtype: str = "INT8"
    sparse: bool = False
    signature: tuple[int, ...] | None = None
    """The shape with -1 for dimensions that are known only at run time."""


@dataclass(frozen=True, eq=False)
class Operator:
    """An operator by its builtin name; an absent operand is None; options by the names of the schema."""

    name: str
    inputs: tuple[Tensor | None, ...]
    output: Tensor
    options: dict[str, float] = field(default_factory=dict)


def constant(values: np.ndarray, scales: tuple[float, ...] = (), axis: int = 0) -> Tensor:
    """A constant tensor of the array's own type."""
    return Tensor(values.shape, scales, axis=axis, data=values, dtype=values.dtype.name.upper())


def build_model(operators: Sequence[Operator]) -> bytes:
    """The TensorFlow Lite file that runs ``operators`` in order; its input is the activation that none computes."""
    builder = flatbuffers.Builder(4096)
    tensors = _unique(t for operator in operators for t in (*operator.inputs, operator.output) if t is not None)
    index = {id(tensor): i for i, tensor in enumerate(tensors)}
    computed = {id(operator.output) for operator in operators}
    inputs = [i for i, tensor in enumerate(tensors) if tensor.data is None and id(tensor) not in computed]
    codes = sorted({operator.name for operator in operators})

    tensor_tables = _table_vector(builder, [_tensor(builder, tensor, i) for i, tensor in enumerate(tensors)])
    operator_tables = _table_vector(builder, [_operator(builder, op, codes, index) for op in operators])
    graph_inputs = builder.CreateNumpyVector(np.array(inputs, np.int32))
    graph_outputs = builder.CreateNumpyVector(np.array([index[id(operators[-1].output)]], np.int32))
    graph = _table(
        builder,
        "SubGraph",
        {"Tensors": tensor_tables, "Inputs": graph_inputs, "Outputs": graph_outputs, "Operators": operator_tables},
    )
    buffers = _table_vector(builder, [_buffer(builder, None), *(_buffer(builder, tensor.data) for tensor in tensors)])
    code_tables = _table_vector(builder, [_operator_code(builder, name) for name in codes])
    graphs = _table_vector(builder, [graph])
    model = _table(
        builder, "Model", {"Version": 3, "OperatorCodes": code_tables, "Subgraphs": graphs, "Buffers": buffers}
    )
    builder.Finish(model, b"TFL3")
    return bytes(builder.Output())


def _unique(tensors) -> list[Tensor]:
    return list({id(tensor): tensor for tensor in tensors}.values())


def _table(builder: flatbuffers.Builder, name: str, fields: dict[str, float]) -> int:
    getattr(tflite, f"{name}Start")(builder)
    for key, value in fields.items():
        getattr(tflite, f"{name}Add{key}")(builder, value)
    return getattr(tflite, f"{name}End")(builder)


def _table_vector(builder: flatbuffers.Builder, tables: list[int]) -> int:
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return builder.EndVector()


def _tensor(builder: flatbuffers.Builder, tensor: Tensor, index: int) -> int:
    fields = {
        "Shape": builder.CreateNumpyVector(np.array(tensor.shape, np.int32)),
        "Name": builder.CreateString(f"tensor_{index}"),
        "Type": getattr(tflite.TensorType, tensor.dtype),
        "Buffer": index + 1,
    }
    if tensor.scales:
        zero_points = tensor.zero_points if len(tensor.zero_points) > 1 else tensor.zero_points * len(tensor.scales)
        quantisation = {
            "Scale": builder.CreateNumpyVector(np.array(tensor.scales, np.float32)),
            "ZeroPoint": builder.CreateNumpyVector(np.array(zero_points, np.int64)),
            "QuantizedDimension": tensor.axis,
        }
        fields["Quantization"] = _table(builder, "QuantizationParameters", quantisation)
    if tensor.signature is not None:
        fields["ShapeSignature"] = builder.CreateNumpyVector(np.array(tensor.signature, np.int32))
    if tensor.sparse:
        fields["Sparsity"] = _table(builder, "SparsityParameters", {})
    return _table(builder, "Tensor", fields)


def _operator(builder: flatbuffers.Builder, operator: Operator, codes: list[str], index: dict[int, int]) -> int:
    inputs = [-1 if tensor is None else index[id(tensor)] for tensor in operator.inputs]
    fields = {
        "OpcodeIndex": codes.index(operator.name),
        "Inputs": builder.CreateNumpyVector(np.array(inputs, np.int32)),
        "Outputs": builder.CreateNumpyVector(np.array([index[id(operator.output)]], np.int32)),
    }
    if operator.name in OPTION_TYPES:
        options = OPTION_TYPES[operator.name]
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, options)
        fields["BuiltinOptions"] = _table(builder, options, operator.options)
    return _table(builder, "Operator", fields)


def _operator_code(builder: flatbuffers.Builder, name: str) -> int:
    number = getattr(tflite.BuiltinOperator, name)
    fields = {"DeprecatedBuiltinCode": min(number, 127), "Version": VERSIONS.get(name, 2), "BuiltinCode": number}
    return _table(builder, "OperatorCode", fields)


def _buffer(builder: flatbuffers.Builder, data: np.ndarray | None) -> int:
    if data is None:
        return _table(builder, "Buffer", {})
    contents = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
    # TensorFlow Lite maps constants in place and wants them aligned to 16 bytes.
    builder.StartVector(1, len(contents), 16)
    builder.head -= len(contents)
    builder.Bytes[builder.head : builder.head + len(contents)] = contents.tobytes()
    return _table(builder, "Buffer", {"Data": builder.EndVector()})
