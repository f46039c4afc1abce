"""NETWORK, as a user names it: a TFLite file, a saved LayerGraph, ``imagenet:name``, or ``space:architecture``."""

from __future__ import annotations

from pathlib import Path

from hwgen.errors import InputError
from hwgen.graph import LayerGraph
from hwgen.importers.tflite import read_tflite
from hwgen.networks.imagenet import imagenet_network
from hwgen.serialise import load_graph


def load_network(source: str, dataset: str) -> LayerGraph:
    """The LayerGraph that ``source`` names; an architecture has random weights, at its space's size for ``dataset``.

    Raises InputError where ``source`` has none of these forms, and what the readers raise.
    """
    space_name, separator, architecture = source.partition(":")
    if Path(source).suffix == ".tflite":
        return read_tflite(source)
    if Path(source).suffix == ".npz":
        return load_graph(source)
    if not separator:
        raise InputError(
            f"network: {source!r} is not a network; accepted: a .tflite file, a LayerGraph saved as .npz, "
            "imagenet:name such as imagenet:resnet50, or space:architecture such as macro:02012100"
        )
    if space_name == "imagenet":
        return imagenet_network(architecture)
    # Imported here because torch takes seconds to load, and files need none of it.
    from nas.quantise import structure
    from nas.spaces import space

    return structure(space(space_name, dataset), architecture)
