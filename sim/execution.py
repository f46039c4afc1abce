"""What an accelerator shows of a Program that it ran, in simulation or on a board."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.memory_model import MemoryModel


@dataclass(frozen=True, eq=False)
class Execution:
    """Outputs and counters, sample by sample."""

    outputs: np.ndarray
    """int8 [N, height, width, channels], the tensor that the accelerator leaves for each sample."""
    sample_counters: tuple[dict[str, int], ...]
    """Each sample's performance counters, by their names in ``hwgen.registers``."""
    memory: MemoryModel
    """The timing of the memory behind the bus."""

    @property
    def counters(self) -> dict[str, int]:
        """The first sample's performance counters."""
        return self.sample_counters[0]

    @property
    def cycles(self) -> int:
        """The first sample's clock cycles from start to done, everything included."""
        return self.counters["cycles"]
