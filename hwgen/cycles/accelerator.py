"""The cycle model: cycles of a program from start to done, and of each layer, without simulating the RTL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.cycles.act_buffer import ActBuffer
from hwgen.cycles.clock import Agenda, Queue, Retirements
from hwgen.cycles.compute_engine import ComputeEngine
from hwgen.cycles.instructions import decode
from hwgen.cycles.load_engine import LoadEngine
from hwgen.cycles.read_port import ReadPort
from hwgen.cycles.run import Run
from hwgen.cycles.sequencer import Sequencer
from hwgen.cycles.store_engine import StoreEngine
from hwgen.memory_model import DEFAULT_MEMORY, MemoryModel
from hwgen.program import Engine, LayerSpan, Program


@dataclass(frozen=True)
class Prediction:
    """A program's modelled run; cycles count from the first in which the accelerator runs."""

    cycles: int
    """From start to done."""
    retirements: tuple[list[int], ...]
    """The cycle in which each engine retires each of its instructions, by engine."""
    layer_cycles: tuple[tuple[LayerSpan, int], ...]
    """Cycles from one layer's completion to the next; they add up to ``cycles``."""


def predict(program: Program, memory: MemoryModel = DEFAULT_MEMORY) -> Prediction:
    """Model a run of ``program``, whose regions begin on pages.

    Raises RuntimeError where the program's instructions wait for each other.
    """
    agenda = Agenda()
    retirements = Retirements(agenda)
    run = Run(program.config, memory, agenda, retirements, ActBuffer())
    queues = {engine: Queue(retirements, agenda) for engine in Engine}
    sequencer = Sequencer(run, decode(program.image), queues)
    load = LoadEngine(run, queues[Engine.LOAD], queues[Engine.COMPUTE])
    compute = ComputeEngine(run, queues[Engine.COMPUTE])
    store = StoreEngine(run, queues[Engine.STORE])
    # Within a cycle each sees what its successor accepts: a burst that leaves makes room for the request behind it.
    steps = [ReadPort((sequencer, load), memory, agenda).step, load.step, compute.step, store.step, sequencer.step]
    now = 0
    while sequencer.finished_at is None:
        if any([step(now) for step in steps]):
            agenda.visit(now + 1)
        following = agenda.after(now)
        if following is None:
            raise RuntimeError(f"the program of {program.network} does not end")
        now = following
    cycles = sequencer.finished_at + 1
    return Prediction(cycles, retirements.cycles, _layer_cycles(program, retirements.cycles, cycles))


def _layer_cycles(
    program: Program, retirements: Sequence[Sequence[int]], cycles: int
) -> tuple[tuple[LayerSpan, int], ...]:
    """As ``sim.simulate.layer_cycles`` counts them."""
    spans = []
    previous = 0
    for layer in program.layers:
        completed = cycles if layer is program.layers[-1] else retirements[layer.engine][layer.retired - 1]
        completed = max(previous, completed)
        spans.append((layer, completed - previous))
        previous = completed
    return tuple(spans)
