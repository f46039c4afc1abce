"""A weight-sharing supernet: one pool of parameters that every network of a space borrows from, by name.

Trained by sampling single paths (Guo et al., "Single Path One-Shot", ECCV 2020), every alternative of every choice
equally often per step (Chu et al., "FairNAS", ICCV 2021). Where networks differ in width, the narrower one uses the
first channels of the wider one's tensors (Yu et al., "Slimmable Neural Networks", ICLR 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from nas.batch_norm import recalibrate
from nas.data import Dataset
from nas.progress import progress_bar
from nas.spaces import Space
from nas.train import TrainConfig, accuracy, augment, device

RECALIBRATION_IMAGES = 512
GRADIENT_NORM_LIMIT = 5.0
"""The gradients of several paths add up; deep paths would otherwise throw the shared weights off early on."""


@dataclass(frozen=True, eq=False)
class Supernet:
    """Trained shared weights: each parameter of the space's networks, by name, at its largest shape."""

    space: Space
    dataset: Dataset
    parameters: dict[str, Tensor]

    def extract(self, architecture: str) -> nn.Module:
        """The architecture's network with the shared weights and fresh batch statistics, in evaluation mode."""
        network = self.space.build(architecture).to(device())
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                parameter.copy_(_first_channels(self.parameters[name], parameter))
        recalibrate(network, self._recalibration_inputs)
        return network.cpu()

    def accuracy(self, architecture: str) -> float:
        """Validation accuracy, as a fraction, of the extracted network."""
        return accuracy(self.extract(architecture).to(device()), self.dataset.validation)

    @cached_property
    def _recalibration_inputs(self) -> Tensor:
        return self.dataset.train.take(RECALIBRATION_IMAGES).inputs


def train_supernet(space: Space, dataset: Dataset, config: TrainConfig, *, seed: int = 0) -> Supernet:
    """Train shared weights for the whole space; an epoch is one pass over the training images."""
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    target = device()
    parameters = _initial_parameters(space, seed, target)
    optimiser = torch.optim.SGD(
        parameters.values(),
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        nesterov=True,
    )
    inputs, targets = dataset.train.inputs, dataset.train.targets
    steps = config.epochs * -(-len(targets) // config.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    with progress_bar() as progress:
        task = progress.add_task("training the supernet", total=steps)
        for _ in range(config.epochs):
            for batch in torch.randperm(len(targets), generator=generator).split(config.batch_size):
                x, y = augment(inputs[batch], config, generator).to(target), targets[batch].to(target)
                optimiser.zero_grad()
                for architecture in fair_architectures(space, rng):
                    logits = _borrow(space, architecture, parameters, x)
                    F.cross_entropy(logits, y, label_smoothing=config.label_smoothing).backward()
                nn.utils.clip_grad_norm_(parameters.values(), GRADIENT_NORM_LIMIT)
                optimiser.step()
                schedule.step()
                progress.advance(task)
    return Supernet(space, dataset, {name: value.detach().cpu() for name, value in parameters.items()})


def fair_architectures(space: Space, rng: np.random.Generator) -> list[str]:
    """Architectures in which every alternative of a gene occurs as often as any other of that gene.

    Genes with fewer alternatives than the most cycle through theirs. Constant networks are left out.
    """
    rounds = max(space.choices)
    genes = np.stack([np.resize(rng.permutation(count), rounds) for count in space.choices], axis=1)
    return [space.decode(genotype) for genotype in genes if space.is_legal(genotype)]


def _initial_parameters(space: Space, seed: int, target: torch.device) -> dict[str, Tensor]:
    parameters: dict[str, Tensor] = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for architecture in space.covering():
            for name, parameter in space.build(architecture).named_parameters():
                parameters.setdefault(name, parameter.detach().to(target).requires_grad_())
    return parameters


def _borrow(space: Space, architecture: str, parameters: dict[str, Tensor], x: Tensor) -> Tensor:
    """The logits of the architecture's network with the shared parameters."""
    network = space.build(architecture).to(x.device).train()
    borrowed = {name: _first_channels(parameters[name], own) for name, own in network.named_parameters()}
    logits: Tensor = functional_call(network, borrowed, (x,))
    return logits


def _first_channels(shared: Tensor, own: Tensor) -> Tensor:
    return shared[tuple(slice(size) for size in own.shape)]
