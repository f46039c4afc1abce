"""LayerGraphs as files: one ``.npz`` whose arrays are the layers' and whose header, in JSON, is everything else."""

from __future__ import annotations

import json
import struct
import tokenize
import typing
import zipfile
import zlib
from dataclasses import fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.consistency import check_layer, check_output
from hwgen.errors import ModelFileError
from hwgen.files import replacing
from hwgen.graph import OPERATOR_NAMES, Input, LayerGraph

FORMAT = "cosynth layer graph 1"
HEADER = "header"
DAMAGE = (
    *(OSError, EOFError, MemoryError, RuntimeError, SyntaxError, ValueError, KeyError, TypeError, AttributeError),
    *(OverflowError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What zipfile, NumPy and the decoding raise on a file that is not what ``save_graph`` writes."""
LAYER_TYPES = {name: layer_type for layer_type, name in OPERATOR_NAMES.items()}


def save_graph(graph: LayerGraph, path: str | Path) -> None:
    """Writes ``graph`` to ``path`` (atomically); ``load_graph`` gives back the same graph, bit for bit."""
    arrays: dict[str, np.ndarray] = {}
    layers = [
        {
            "op": layer.op,
            "operands": [operand.name for operand in graph.operands(layer)],
            "fields": _encode(layer, arrays),
        }
        for layer in (graph.input, *graph.layers())
    ]
    header = {
        "format": FORMAT,
        "name": graph.name,
        "output": graph.output_name,
        "host_operators": graph.host_operators,
        "layers": layers,
    }
    arrays[HEADER] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with replacing(Path(path)) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_graph(path: str | Path) -> LayerGraph:
    """The graph that ``save_graph`` wrote to ``path``.

    Raises ModelFileError where the file cannot be read, is damaged, or is not a consistent LayerGraph.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        header = json.loads(arrays.pop(HEADER).tobytes())
        if header["format"] != FORMAT:
            raise ModelFileError(f"{path}: is of format {header['format']!r}; accepted: {FORMAT!r}")
        return _decode_graph(header, arrays)
    except ModelFileError:
        raise
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no such file") from error
    except DAMAGE as error:
        raise ModelFileError(f"{path}: not a saved layer graph, or damaged ({error})") from error


def _encode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """``value`` as JSON; arrays move to ``arrays`` and leave their key."""
    if isinstance(value, np.ndarray):
        key = f"array_{len(arrays)}"
        arrays[key] = value
        return key
    if is_dataclass(value):
        return {field.name: _encode(getattr(value, field.name), arrays) for field in fields(value)}
    if isinstance(value, tuple):
        return [_encode(item, arrays) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _decode(hint: Any, value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The value of type ``hint`` that ``_encode`` made ``value`` from; raises TypeError, ValueError or KeyError."""
    if hint is np.ndarray:
        return arrays[value]
    if is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        if set(value) != set(hints):
            raise ValueError(f"{hint} has fields {sorted(hints)}, not {sorted(value)}")
        return hint(**{name: _decode(hints[name], item, arrays) for name, item in value.items()})  # type: ignore[operator]
    if typing.get_origin(hint) is tuple:
        items = zip(typing.get_args(hint), value, strict=True)
        return tuple(_decode(item_hint, item, arrays) for item_hint, item in items)
    if issubclass(hint, StrEnum):
        return hint(value)
    if hint is float:
        return float(value)
    if type(value) is not hint:
        raise TypeError(f"{value!r} is not of type {hint.__name__}")
    return value


def _decode_graph(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> LayerGraph:
    input_layer, *layers = (_decode(LAYER_TYPES[entry["op"]], entry["fields"], arrays) for entry in header["layers"])
    if not isinstance(input_layer, Input):
        raise ValueError("the first layer is not the input")
    check_output(input_layer)
    graph = LayerGraph(header["name"], input_layer)
    for layer, entry in zip(layers, header["layers"][1:], strict=True):
        graph.add(layer, *entry["operands"])
        check_layer(layer, graph.operands(layer))
    graph.output_name = graph[header["output"]].name
    graph.host_operators = tuple(header["host_operators"])
    return graph
