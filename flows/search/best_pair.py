"""The chosen pair, ready to use: its network quantised, its Verilog and program, and the proof that they agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from flows.export.bundle import write_bundle
from flows.files import new_directory, write_json
from flows.simulate.run import MismatchError
from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError
from hwgen.graph import LayerGraph
from hwgen.program import Program
from hwgen.reference import run as run_reference
from hwgen.serialise import save_graph
from hwgen.verilog import emit
from nas.data import Dataset, HeldOut, Split
from nas.deploy import deploy
from nas.quantise import quantise_images
from nas.train import Trained
from sim.simulate import simulate

VERIFICATION = "verification.json"


def deliver(
    directory: Path,
    name: str,
    trained: Trained,
    accelerator: AcceleratorConfig,
    dataset: Dataset,
    unseen: HeldOut,
    verified_images: int,
) -> None:
    """Write the pair's bundle, LayerGraph and ``verification.json`` as the new ``directory``.

    ``unseen`` is the part of ``dataset`` that nothing was chosen by.

    Raises MismatchError, and writes nothing, where the RTL and the reference disagree on an output byte.
    """
    deployed = deploy(trained.network, dataset, name)
    graph = deployed.graph
    program = compile_graph(graph, accelerator)
    verification = {
        "network": name,
        "dataset": dataset.provenance,
        "unseen": unseen.value,
        "float_validation_accuracy": trained.validation_accuracy,
        "int8_validation_accuracy": deployed.validation_accuracy,
        "int8_validation_images": len(dataset.validation),
        "float_test_accuracy": trained.test_accuracy,
        "int8_test_accuracy": deployed.test_accuracy,
        "int8_test_images": len(dataset.test),
        "rtl": _verify(graph, program, dataset.test.take(verified_images)),
    }
    with new_directory(directory) as temporary:
        write_bundle(temporary, program, emit(accelerator), name)
        save_graph(graph, temporary / "network.npz")
        write_json(temporary / VERIFICATION, verification)


def verification_summary(directory: Path) -> str:
    """What ``verification.json`` in ``directory`` says, for people. Raises InputError where it is not as written."""
    path = directory / VERIFICATION
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        part = HeldOut(values.get("unseen", HeldOut.TEST))
        return (
            f"int8 accuracy {values[f'int8_{part}_accuracy']:.2%} on {values[f'int8_{part}_images']} {part} images, by "
            f"which nothing was chosen; the first {values['rtl']['images']} test images simulated in RTL, every output "
            "byte as the reference"
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"run: {path} is missing or damaged ({error!r}); delete {directory} to have the chosen pair made again"
        ) from error


def _verify(graph: LayerGraph, program: Program, split: Split) -> dict[str, Any]:
    """Classify the images of ``split`` in RTL simulation and by the reference, image by image."""
    inputs = quantise_images(graph, split.inputs)
    measurement = simulate(program, inputs)
    simulated = measurement.outputs.reshape(len(split), -1)
    expected = run_reference(graph, inputs).reshape(len(split), -1)
    agree = (simulated == expected).all(axis=1)
    if not agree.all():
        first = int(np.argmin(agree))
        raise MismatchError(
            f"{graph.name}: the RTL's output differs from the reference on {int((~agree).sum())} of {len(split)} "
            f"test images, first on image {first}"
        )
    predictions = simulated.argmax(axis=1)
    return {
        "images": len(split),
        "bit_exact": True,
        "accuracy": float((predictions == split.labels).mean()),
        "cycles": measurement.cycles,
        "predictions": [
            {"image": index, "label": int(label), "rtl": int(rtl), "reference": int(reference)}
            for index, (label, rtl, reference) in enumerate(
                zip(split.labels, predictions, expected.argmax(axis=1), strict=True)
            )
        ],
    }
