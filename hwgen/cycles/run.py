"""Run: what the engines of one modelled run share."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.config import AcceleratorConfig
from hwgen.cycles.act_buffer import ActBuffer
from hwgen.cycles.clock import Agenda, Retirements
from hwgen.memory_model import MemoryModel


@dataclass(frozen=True)
class Run:
    """An accelerator and its memory, the cycles to visit and what has happened so far."""

    config: AcceleratorConfig
    memory: MemoryModel
    agenda: Agenda
    retirements: Retirements
    act_buffer: ActBuffer
