"""GMAC/s are the network's multiply-accumulates over the time that they take, counted by whoever counts them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from flows.pairs.evaluation import Evaluation, Pair, Tier
from flows.pairs.rtl_evaluator import RtlEvaluator
from hwgen.program import Program
from nas.accuracy import AccuracyTier
from nas.spaces import space
from sim.execution import Execution
from sim.simulate import simulate
from tests.sim.accelerators import ACCELERATORS

NO_ACCURACIES = SimpleNamespace()
CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"


def products(network: torch.nn.Module, images: torch.Tensor) -> int:
    """Of the operands of convolutions and linear layers with their weights, as PyTorch runs ``network``.

    A normalisation that follows no convolution scales every operand, which is a product too.
    """
    formed: list[int] = []

    convolved: list[torch.Tensor] = []

    def count(layer: torch.nn.Module, operands: tuple[torch.Tensor], output: torch.Tensor) -> None:
        follows = any(operands[0] is tensor for tensor in convolved)
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            formed.append(output.numel() * layer.get_parameter("weight")[0].numel())
            convolved.append(output)
        elif isinstance(layer, torch.nn.BatchNorm2d) and not follows:
            formed.append(output.numel())

    for layer in network.modules():
        layer.register_forward_hook(count)
    network.eval()(images)
    return sum(formed)


@pytest.mark.parametrize("name", ["nasbench201", "macro", "mbconv"])
def test_the_macs_of_a_network_are_the_products_that_pytorch_forms(name: str) -> None:
    networks = space(name, "digits")
    architecture = networks.random(np.random.default_rng(3))
    images = torch.zeros(1, networks.image.channels, networks.image.size, networks.image.size)
    macs = RtlEvaluator(networks, NO_ACCURACIES).macs(architecture)
    assert macs == products(networks.build(architecture), images) > 0


def test_the_rate_of_a_measured_pair_is_what_the_rtls_counters_say() -> None:
    executions: list[Execution] = []

    def measure(program: Program, inputs: np.ndarray) -> Execution:
        executions.append(simulate(program, inputs))
        return executions[-1]

    evaluator, pair = (
        RtlEvaluator(space("nasbench201", "digits"), NO_ACCURACIES, measure),
        Pair(CELL, ACCELERATORS["narrow"]),
    )
    cost, macs = evaluator.measured_cost(pair), evaluator.macs(CELL)
    found = Evaluation(pair, Tier.MEASURED, cost, 0.0, AccuracyTier.NOT_ASKED, "", macs)
    (counters,) = (execution.counters for execution in executions)
    seconds = counters["cycles"] / 80e6
    assert found.gmac_per_s(80) == pytest.approx(counters["macs"] / 1e9 / seconds)
