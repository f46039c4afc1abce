"""Scores of an untrained network that rank architectures without training them; higher is better."""

from __future__ import annotations

from collections.abc import Callable
from math import log

import numpy as np
import torch
from torch import Tensor, nn

from nas.data import Split
from nas.spaces import Space

BATCH = 64
RIDGE = 1e-3
"""Added to the kernel's diagonal, so that a network that tells no two images apart has a score, a very low one."""

Score = Callable[[Space, str, Split, int], float]
"""Of an architecture of a space, on training images, with weights drawn by a seed."""


def naswot(space: Space, architecture: str, images: Split, seed: int) -> float:
    """The log-determinant of how many ReLUs any two images of a batch agree on.

    Mellor et al., "Neural Architecture Search without Training", ICML 2021.
    """
    network = _untrained(space, architecture, seed).train()
    kernel = RIDGE * torch.eye(BATCH)

    def count(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        active = (output > 0).flatten(1).float()
        kernel.add_(active @ active.T + (1 - active) @ (1 - active).T)

    for module in _activations(network):
        module.register_forward_hook(count)
    with torch.no_grad():
        network(images.take(BATCH).inputs)
    _, log_determinant = np.linalg.slogdet(kernel.double().numpy())
    return float(log_determinant)


def synflow(space: Space, architecture: str, _images: Split, seed: int) -> float:
    """The logarithm of the synaptic flow, summed over the weights: how much of an image of ones each of them carries.

    Tanaka et al., "Pruning neural networks without any data", NeurIPS 2020; as a score of architectures Abdelfattah
    et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021. The network is linearised: absolute weights, neither
    normalisation nor a bound on activations. It looks at no image.
    """
    network = _untrained(space, architecture, seed).double().eval()  # normalisation with its first statistics: none
    for activation in _activations(network):
        activation.register_forward_hook(lambda _module, inputs, _output: inputs[0])
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    ones = torch.ones((1, space.image.channels, space.image.size, space.image.size)).double()
    weights = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    gradients = torch.autograd.grad(network(ones).sum(), weights)
    flows = [(weight.detach() * gradient).sum() for weight, gradient in zip(weights, gradients, strict=True)]
    return log(float(sum(flows)))


SCORES: dict[str, Score] = {"naswot": naswot, "synflow": synflow}
"""The scores by name."""


def _untrained(space: Space, architecture: str, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return space.build(architecture)


def _activations(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, nn.ReLU | nn.ReLU6)]
