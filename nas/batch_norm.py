"""Batch normalisation statistics of networks whose weights were not trained together with them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

IMAGES_PER_BATCH = 256


def recalibrate(network: nn.Module, inputs: Tensor) -> None:
    """Replace the batch statistics by those of ``inputs`` [N, C, H, W], at least two; leaves evaluation mode on.

    Runs where the network is.
    """
    normalisations = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [module.momentum for module in normalisations]
    for module in normalisations:
        module.reset_running_stats()
        module.momentum = None
    where = next(network.parameters()).device
    network.train()
    with torch.no_grad():
        for batch in inputs.split(IMAGES_PER_BATCH):
            network(batch.to(where))
    for module, momentum in zip(normalisations, momenta, strict=True):
        module.momentum = momentum
    network.eval()
