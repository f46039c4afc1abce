"""From a trained network to the int8 network that the accelerator runs, with its own accuracy."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from hwgen.graph import LayerGraph
from nas.data import Dataset
from nas.quantise import quantise, quantised_accuracy

CALIBRATION_IMAGES = 256


@dataclass(frozen=True, eq=False)
class Deployed:
    """An int8 network and its accuracies as fractions, computed by the bit-exact reference."""

    graph: LayerGraph
    validation_accuracy: float
    test_accuracy: float


def deploy(network: nn.Module, dataset: Dataset, name: str) -> Deployed:
    """Quantise a trained network on training images, and measure the result on the others."""
    graph = quantise(network, dataset.train.take(CALIBRATION_IMAGES).inputs, name)
    return Deployed(graph, quantised_accuracy(graph, dataset.validation), quantised_accuracy(graph, dataset.test))
