"""TensorFlow Lite importer: an int8 ``.tflite`` file becomes the LayerGraph that computes the same integers.

RESHAPE that only renames dimensions and PAD before a convolution are folded away; RESHAPE and SOFTMAX at the end are
the host's. Every other operator that no layer expresses is refused by name.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path

from hwgen.errors import ModelFileError, UnsupportedOperatorError
from hwgen.graph import Input, LayerGraph
from hwgen.importers.flatbuffer import ModelRecord, OperatorRecord, read_records
from hwgen.importers.operators import TRANSLATORS
from hwgen.importers.translation import NO_PADDING, Translation, label, tensor_type


def read_tflite(path: str | Path) -> LayerGraph:
    """The LayerGraph of the int8 TensorFlow Lite file ``path``, named after the file.

    Raises ModelFileError where the file is missing, damaged or not an int8 model of one input and one output at
    batch 1, and UnsupportedOperatorError, naming the operator, where the accelerator cannot run it.
    """
    record = read_records(path)
    try:
        return _layer_graph(record, Path(path).stem)
    except (ModelFileError, UnsupportedOperatorError) as error:
        raise type(error)(f"{path}: {error}") from error


def _layer_graph(record: ModelRecord, name: str) -> LayerGraph:
    if not len(record.inputs) == len(record.outputs) == 1:
        raise ModelFileError(
            f"has {len(record.inputs)} inputs and {len(record.outputs)} outputs; accepted: one of each"
        )
    graph = LayerGraph(name, _input_layer(record))
    translation = Translation(record.tensors, graph, record.inputs[0])
    for operator in record.operators:
        _translate(translation, operator)
    _finish(translation, record.outputs[0])
    return graph


def _input_layer(record: ModelRecord) -> Input:
    """The input, under the dimensions of the RESHAPE that reads it where nothing else does."""
    source = record.tensors[record.inputs[0]]
    if source.dtype != "INT8":
        raise ModelFileError(f"its input {source.name!r} is {source.dtype}; accepted: models fully quantised to INT8")
    type_ = tensor_type(source)
    readers = [operator for operator in record.operators if source.index in operator.inputs]
    if len(readers) == 1 and readers[0].name == "RESHAPE" and readers[0].outputs:
        reshaped = record.tensors[readers[0].outputs[0]]
        if prod(reshaped.shape) == prod(source.shape):
            type_ = replace(type_, shape=tensor_type(reshaped).shape)
    return Input("input", type_)


def _translate(translation: Translation, operator: OperatorRecord) -> None:
    if operator.name not in TRANSLATORS:
        raise UnsupportedOperatorError(f"{label(operator)} is not supported; accepted: {', '.join(TRANSLATORS)}")
    translator = TRANSLATORS[operator.name]
    if len(operator.outputs) != 1 or not translator.least_operands <= len(operator.inputs) <= translator.most_operands:
        raise ModelFileError(
            f"{label(operator)} has {len(operator.inputs)} operands and {len(operator.outputs)} results, "
            "which it cannot have"
        )
    if min(operator.inputs[: translator.least_operands]) < 0:
        raise ModelFileError(f"{label(operator)} lacks an operand")
    if operator.outputs[0] in translation.values:
        raise ModelFileError(f"{label(operator)} writes a tensor that has a value already")
    value = translator.translate(translation, operator)
    declared = translation.output_type(operator).shape
    if value.shape != declared:
        raise ModelFileError(f"{label(operator)} computes {value.shape}, but its result is declared {declared}")
    translation.values[operator.outputs[0]] = value


def _finish(translation: Translation, output: int) -> None:
    graph = translation.graph
    if output not in translation.values:
        raise ModelFileError("no operator computes its output")
    value = translation.values[output]
    if value.padding != NO_PADDING:
        raise UnsupportedOperatorError("PAD at the output is not supported; accepted: PAD before a convolution")
    unread = [name for name in graph.digraph if graph.digraph.out_degree(name) == 0]
    if value.layer is graph.input or unread != [value.layer.name]:
        raise ModelFileError("its layers do not all lead to its output; accepted: at least one layer, and none unused")
    graph.output_name = value.layer.name
    graph.host_operators = value.host_operators
