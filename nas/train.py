"""Training of one network: SGD with Nesterov momentum under a cosine schedule."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.data import Dataset, Split
from nas.progress import progress_bar
from nas.spaces import Space


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained. ``shift`` is the augmentation: random translation by up to so many pixels."""

    epochs: int
    learning_rate: float = 0.1
    batch_size: int = 128
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    shift: int = 0
    mirror: bool = False
    """Whether images are mirrored at random (left to right)."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network, in evaluation mode on the CPU, and its accuracies as fractions."""

    network: nn.Module
    validation_accuracy: float
    test_accuracy: float


def recipe(dataset: str, epochs: int | None = None) -> TrainConfig:
    """The recipe for a data set, with its own number of epochs unless one is given."""
    if dataset == "digits":
        return TrainConfig(epochs or 30, batch_size=64, shift=1)
    return TrainConfig(epochs or 60, shift=4, mirror=True)


def fine_tune_recipe(dataset: str, epochs: int | None = None) -> TrainConfig:
    """The recipe for weights that a supernet already trained: fewer epochs, a smaller learning rate."""
    if dataset == "digits":
        return TrainConfig(epochs or 15, learning_rate=0.05, batch_size=64, shift=1)
    return TrainConfig(epochs or 20, learning_rate=0.05, shift=4, mirror=True)


def device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train_architecture(
    space: Space, architecture: str, dataset: Dataset, config: TrainConfig, *, seed: int = 0
) -> Trained:
    """Train the architecture from scratch; ``seed`` gives its first weights too."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = space.build(architecture)
    return train(network, dataset, config, seed=seed)


def train(network: nn.Module, dataset: Dataset, config: TrainConfig, *, seed: int = 0) -> Trained:
    """Train ``network`` in place; the same seed on the same machine gives the same weights."""
    generator = torch.Generator().manual_seed(seed)
    target = device()
    network.to(target).train()
    inputs, targets = dataset.train.inputs, dataset.train.targets
    steps = config.epochs * -(-len(targets) // config.batch_size)
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        nesterov=True,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    with progress_bar() as progress:
        task = progress.add_task("training", total=steps)
        for _ in range(config.epochs):
            for batch in torch.randperm(len(targets), generator=generator).split(config.batch_size):
                x = augment(inputs[batch], config, generator).to(target)
                loss = F.cross_entropy(network(x), targets[batch].to(target), label_smoothing=config.label_smoothing)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                progress.advance(task)
    return _scored(network.eval(), dataset)


def fine_tune(network: nn.Module, dataset: Dataset, config: TrainConfig, *, seed: int = 0) -> Trained:
    """``network``, in evaluation mode, or a copy that goes on training: what classifies validation images better."""
    tuned = train(deepcopy(network), dataset, config, seed=seed)
    return max(tuned, _scored(network.to(device()), dataset), key=lambda found: found.validation_accuracy)


def _scored(network: nn.Module, dataset: Dataset) -> Trained:
    """``network``, as it stands on its device, with its accuracies."""
    validation, test = accuracy(network, dataset.validation), accuracy(network, dataset.test)
    return Trained(network.cpu(), validation, test)


def accuracy(network: nn.Module, split: Split) -> float:
    """The fraction of images that the network, as it stands (mode and device), classifies correctly."""
    where = next(network.parameters()).device
    correct = 0
    with torch.no_grad():
        for start in range(0, len(split), 1000):
            part = Split(split.images[start : start + 1000], split.labels[start : start + 1000])
            correct += int((network(part.inputs.to(where)).argmax(1).cpu() == part.targets).sum())
    return correct / len(split)


def augment(images: Tensor, config: TrainConfig, generator: torch.Generator) -> Tensor:
    """Random translations (padded with zeros) and mirror images of [N, C, H, W], by the config."""
    if config.mirror:
        mirrored = torch.rand(len(images), generator=generator) < 0.5
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    if config.shift:
        size, shift = images.shape[2], config.shift
        padded = F.pad(images, (shift,) * 4)
        rows, columns = (
            torch.randint(2 * shift + 1, (len(images), 1), generator=generator) + torch.arange(size) for _ in range(2)
        )
        image = torch.arange(len(images))
        images = padded.permute(0, 2, 3, 1)[image[:, None, None], rows[:, :, None], columns[:, None, :]]
        images = images.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    return images
