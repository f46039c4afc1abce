"""A TensorFlow Lite file as plain records.

The flatbuffer is read here, once; whatever is broken about it is met here, with one error.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tflite

from hwgen.errors import ModelFileError

MAX_FILE_BYTES = 2**31 - 1
"""A flatbuffer's offsets are 32 bits wide."""

MAX_RANK = 8
"""TensorFlow Lite's own limit on a tensor's dimensions."""
MAX_NAME = 80
"""Characters of a name that messages show; converters join the names of fused operators with semicolons."""

BROKEN_FILE = (struct.error, IndexError, TypeError, ValueError, OverflowError, AttributeError, KeyError, RecursionError)
"""What the generated flatbuffer readers raise on offsets and lengths that lead nowhere."""

OPTION_FIELDS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "ADD": (tflite.AddOptions, ("FusedActivationFunction",)),
    "AVERAGE_POOL_2D": (
        tflite.Pool2DOptions,
        ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth", "FusedActivationFunction"),
    ),
    "CONV_2D": (
        tflite.Conv2DOptions,
        ("Padding", "StrideH", "StrideW", "DilationHFactor", "DilationWFactor", "FusedActivationFunction"),
    ),
    "DEPTHWISE_CONV_2D": (
        tflite.DepthwiseConv2DOptions,
        ("Padding", "StrideH", "StrideW", "DilationHFactor", "DilationWFactor", "FusedActivationFunction"),
    ),
    "FULLY_CONNECTED": (tflite.FullyConnectedOptions, ("WeightsFormat", "FusedActivationFunction")),
}
OPTION_FIELDS["MAX_POOL_2D"] = OPTION_FIELDS["AVERAGE_POOL_2D"]


def _enum_names(enum: type) -> dict[int, str]:
    return {value: name for name, value in vars(enum).items() if isinstance(value, int)}


OPERATOR_NAMES = _enum_names(tflite.BuiltinOperator)
TYPE_NAMES = _enum_names(tflite.TensorType)


@dataclass(frozen=True, eq=False)
class TensorRecord:
    """One tensor: its declared type, its quantisation and, for a constant, its bytes."""

    index: int
    name: str
    shape: tuple[int, ...]
    dynamic: bool
    """Whether a dimension other than the batch is unknown until run time."""
    dtype: str
    scales: np.ndarray
    """float32, empty where the tensor is not quantised."""
    zero_points: np.ndarray
    """int64."""
    quantised_dimension: int
    sparse: bool
    data: np.ndarray | None
    """uint8 bytes of a constant, else None."""


@dataclass(frozen=True)
class OperatorRecord:
    """One operator: its name, the tensors that it reads (-1 for an absent one) and writes, and its options."""

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, int] | None
    """The fields of ``OPTION_FIELDS``, else None."""


@dataclass(frozen=True)
class ModelRecord:
    """The main subgraph of a TensorFlow Lite file."""

    tensors: tuple[TensorRecord, ...]
    operators: tuple[OperatorRecord, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_records(path: str | Path) -> ModelRecord:
    """The records of the TensorFlow Lite file ``path``.

    Raises ModelFileError where the file cannot be read, is not a TensorFlow Lite file, is damaged, or has more than
    one subgraph.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ModelFileError(
                f"{path}: larger than {MAX_FILE_BYTES} bytes, the most a TensorFlow Lite file can hold"
            )
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror})") from error
    if content[4:8] != b"TFL3":
        raise ModelFileError(f"{path}: not a TensorFlow Lite file (no TFL3 identifier)")
    try:
        model = tflite.Model.GetRootAs(content)
        subgraphs = model.SubgraphsLength()
        if subgraphs == 1:
            return _model_record(model, model.Subgraphs(0))
    except BROKEN_FILE as error:
        raise ModelFileError(f"{path}: damaged TensorFlow Lite file (its tables do not hold together)") from error
    raise ModelFileError(f"{path}: has {subgraphs} subgraphs; accepted: 1")


def _model_record(model: Any, graph: Any) -> ModelRecord:
    record = ModelRecord(
        tensors=tuple(_tensor_record(model, graph.Tensors(i), i) for i in range(graph.TensorsLength())),
        operators=tuple(_operator_record(model, graph.Operators(i), i) for i in range(graph.OperatorsLength())),
        inputs=tuple(graph.Inputs(i) for i in range(graph.InputsLength())),
        outputs=tuple(graph.Outputs(i) for i in range(graph.OutputsLength())),
    )
    for operator in record.operators:
        if not all(-1 <= tensor < len(record.tensors) for tensor in operator.inputs):
            raise IndexError("an operator reads a tensor that does not exist")
        if not all(0 <= tensor < len(record.tensors) for tensor in operator.outputs):
            raise IndexError("an operator writes a tensor that does not exist")
    if not all(0 <= tensor < len(record.tensors) for tensor in (*record.inputs, *record.outputs)):
        raise IndexError("the model's input or output does not exist")
    return record


def _tensor_record(model: Any, tensor: Any, index: int) -> TensorRecord:
    quantisation = tensor.Quantization()
    scales = np.empty(0, np.float32)
    zero_points = np.empty(0, np.int64)
    if quantisation is not None and quantisation.ScaleLength() > 0:
        scales = np.array(quantisation.ScaleAsNumpy(), np.float32)
        zero_points = np.zeros(len(scales), np.int64)
        if quantisation.ZeroPointLength() > 0:
            zero_points = np.array(quantisation.ZeroPointAsNumpy(), np.int64)
    if tensor.ShapeLength() > MAX_RANK or tensor.ShapeSignatureLength() > MAX_RANK:
        raise ValueError(f"a tensor has more than {MAX_RANK} dimensions")
    buffer = model.Buffers(tensor.Buffer()) if 0 < tensor.Buffer() < model.BuffersLength() else None
    signature = [tensor.ShapeSignature(i) for i in range(tensor.ShapeSignatureLength())]
    return TensorRecord(
        index=index,
        name=_text(tensor.Name()).partition(";")[0],
        shape=tuple(tensor.Shape(i) for i in range(tensor.ShapeLength())),
        dynamic=any(size < 0 for size in signature[1:]),
        dtype=TYPE_NAMES.get(tensor.Type(), f"type {tensor.Type()}"),
        scales=scales,
        zero_points=zero_points,
        quantised_dimension=quantisation.QuantizedDimension() if quantisation is not None else 0,
        sparse=tensor.Sparsity() is not None,
        data=buffer.DataAsNumpy() if buffer is not None and buffer.DataLength() > 0 else None,
    )


def _operator_record(model: Any, operator: Any, index: int) -> OperatorRecord:
    if operator.OpcodeIndex() >= model.OperatorCodesLength():
        raise IndexError("an operator's code does not exist")
    code = model.OperatorCodes(operator.OpcodeIndex())
    # Files from before the 128th builtin operator keep the code in the older, one-byte field.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name = OPERATOR_NAMES.get(number, f"operator code {number}")
    if name == "CUSTOM":
        name = f"CUSTOM {_text(code.CustomCode())!r}"
    return OperatorRecord(
        index=index,
        name=name,
        inputs=tuple(operator.Inputs(i) for i in range(operator.InputsLength())),
        outputs=tuple(operator.Outputs(i) for i in range(operator.OutputsLength())),
        options=_options(operator, name),
    )


def _text(content: bytes | None) -> str:
    return (content or b"")[:MAX_NAME].decode("utf-8", "replace")


def _options(operator: Any, name: str) -> dict[str, int] | None:
    if name not in OPTION_FIELDS or operator.BuiltinOptions() is None:
        return None
    reader_type, names = OPTION_FIELDS[name]
    if operator.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, reader_type.__name__):
        raise ValueError(f"the options of a {name} are of another operator")
    reader = reader_type()
    reader.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
    return {field: getattr(reader, field)() for field in names}
