"""LiteRT as the golden model: the interpreter with TensorFlow Lite's reference kernels, every tensor kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def golden_tensors(model: Path | bytes, images: np.ndarray) -> Iterator[dict[int, np.ndarray]]:
    """For each of ``images`` (int8 [N, ...]), every tensor of the file by its index, as LiteRT computes it."""
    interpreter = _interpreter(model)
    details = interpreter.get_tensor_details()
    source = interpreter.get_input_details()[0]
    for image in images:
        interpreter.set_tensor(source["index"], image.reshape(source["shape"]))
        interpreter.invoke()
        yield {detail["index"]: interpreter.get_tensor(detail["index"]) for detail in details if _readable(detail)}


def golden_outputs(model: Path | bytes, images: np.ndarray) -> np.ndarray:
    """The network's output for each of ``images`` (int8 [N, ...]), int8 [N, ...]."""
    interpreter = _interpreter(model)
    source, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    results = []
    for image in images:
        interpreter.set_tensor(source["index"], image.reshape(source["shape"]))
        interpreter.invoke()
        results.append(interpreter.get_tensor(output["index"])[0])
    return np.array(results)


def _interpreter(model: Path | bytes) -> Interpreter:
    interpreter = Interpreter(
        model_content=model if isinstance(model, bytes) else model.read_bytes(),
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    return interpreter


def _readable(detail: dict) -> bool:
    """Scratch tensors have neither a name nor data of the model's."""
    return bool(detail["name"]) and detail["dtype"] == np.int8
