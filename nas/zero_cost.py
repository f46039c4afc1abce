"""A score of an untrained network that ranks architectures without training them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from nas.data import Split
from nas.spaces import Space

BATCH = 64


def activation_pattern_score(space: Space, architecture: str, images: Split, *, seed: int = 0) -> float:
    """NASWOT: the log-determinant of how many ReLUs any two images of a batch agree on.

    Mellor et al., "Neural Architecture Search without Training", ICML 2021. Higher is better; a network that tells no
    two images apart scores minus infinity.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = space.build(architecture).train()
    kernel = torch.zeros(BATCH, BATCH)

    def count(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        active = (output > 0).flatten(1).float()
        kernel.add_(active @ active.T + (1 - active) @ (1 - active).T)

    for module in network.modules():
        if isinstance(module, nn.ReLU | nn.ReLU6):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(images.take(BATCH).inputs)
    _, log_determinant = np.linalg.slogdet(kernel.double().numpy())
    return float(log_determinant)
