"""Program: what the compiler makes of a LayerGraph for one AcceleratorConfig, and what the accelerator executes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hwgen.config import AcceleratorConfig
from hwgen.graph import TensorType


class Engine(IntEnum):
    """The accelerator's three decoupled engines; each executes its own instructions in order."""

    LOAD = 0
    COMPUTE = 1
    STORE = 2


@dataclass(frozen=True)
class LayerSpan:
    """One layer's place in a Program: it is complete when ``engine`` has retired ``retired`` instructions in all."""

    name: str
    op: str
    macs: int
    engine: Engine
    retired: int


@dataclass(frozen=True, eq=False)
class Program:
    """A compiled network. Memory regions are placed by the host; the image is position-independent."""

    network: str
    config: AcceleratorConfig
    image: bytes
    """Instructions (from offset 0), then weights and requantisation parameters; read-only at run time."""
    scratch_bytes: int
    """Size of the read-write region for intermediate tensors."""
    input: TensorType
    """The input region holds this tensor, H x W x C int8, without gaps."""
    output: TensorType
    """The output region receives this tensor, H x W x C int8, without gaps."""
    layers: tuple[LayerSpan, ...]
    host_operators: tuple[str, ...]
    """Operators after the output that the host runs, in order."""
