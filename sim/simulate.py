"""Simulate: run a Program on its accelerator's RTL and measure it."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from hwgen.memory_model import DEFAULT_MEMORY, MemoryModel
from hwgen.program import LayerSpan, Program
from hwgen.registers import BUS_ERROR, COUNTER_BASE, COUNTERS, IDENTITY, OFFSETS, counter_values
from sim.execution import Execution
from sim.system import SimulationError, accelerator_verilog, plusargs, system_sources
from sim.verilator import Design, build

HARNESS = Path(__file__).parent / "harness.cpp"
TRACE = Path(__file__).parent / "trace"


@dataclass(frozen=True, eq=False)
class Measurement(Execution):
    """What a simulation showed; every number is measured on the RTL."""

    layer_cycles: tuple[tuple[LayerSpan, int], ...]
    """The first sample's cycles from one layer's completion to the next; they add up to ``cycles``."""
    layer_counters: tuple[dict[str, int], ...]
    """What the first sample's counters counted in each layer's cycles; they add up to ``counters``."""
    build_seconds: float
    """Time to have the simulator: to build it, or to find it in the cache."""
    sim_seconds: float
    sim_cycles: int
    """Clock cycles simulated, the host's register accesses included."""

    @property
    def sim_cycles_per_second(self) -> float:
        return self.sim_cycles / self.sim_seconds


def simulator(accelerator: str, bus_bits: int) -> Design:
    """The simulated system with an accelerator's Verilog and the compiled harness."""
    return Design(
        top="cosynth_top",
        sources=system_sources(accelerator) | {HARNESS.name: HARNESS.read_text(encoding="utf-8")},
        parameters={"DATA_BITS": bus_bits},
    )


def tracing(design: Design) -> Design:
    """The same, slower, with the means to write an FST trace."""
    headers = {name: (TRACE / name).read_text(encoding="utf-8") for name in ("lz4.h", "zlib.h")}
    return replace(design, sources={**design.sources, **headers}, options=(*design.options, "--trace-fst"))


def simulate(
    program: Program, inputs: np.ndarray, memory: MemoryModel = DEFAULT_MEMORY, trace: Path | None = None
) -> Measurement:
    """Run ``inputs`` (int8 [N, height, width, channels]) one after the other on the RTL of ``program.config``.

    ``trace`` names an FST file to write, by a simulator built for it. Raises SimulationError when the accelerator
    hangs, breaks the AXI protocol, meets a bus error or leaves output bytes unwritten.
    """
    began = time.perf_counter()
    design = simulator(accelerator_verilog(program.config), program.config.bus_bits)
    executable = build(design if trace is None else tracing(design))
    return run(executable, program, inputs, memory, trace, build_seconds=time.perf_counter() - began)


def run(
    executable: Path,
    program: Program,
    inputs: np.ndarray,
    memory: MemoryModel,
    trace: Path | None = None,
    build_seconds: float = 0.0,
) -> Measurement:
    """``simulate`` with a simulator that exists already."""
    if inputs.dtype != np.int8 or inputs.ndim != 4 or inputs.shape[1:] != program.input.shape or len(inputs) == 0:
        raise SimulationError(
            f"inputs: {inputs.dtype} {inputs.shape} does not fit; accepted: int8 (N, {str(program.input.shape)[1:]}"
        )
    with tempfile.TemporaryDirectory(prefix="cosynth-") as name:
        directory = Path(name)
        (directory / "image").write_bytes(program.image)
        (directory / "input").write_bytes(np.ascontiguousarray(inputs).tobytes())
        arguments = plusargs(program, len(inputs), memory, directory)
        if trace is not None:
            arguments.append(f"+trace={trace}")
        began = time.perf_counter()
        completed = subprocess.run([executable, *arguments], capture_output=True, text=True)
        sim_seconds = time.perf_counter() - began
        if completed.returncode != 0:
            raise SimulationError(f"simulation of {program.network}: {_reason(completed)}")
        outputs = np.frombuffer((directory / "output").read_bytes(), dtype=np.int8)
        record = parse_results((directory / "results").read_text(encoding="utf-8"))
    return Measurement(
        outputs=outputs.reshape(len(inputs), *program.output.shape),
        sample_counters=tuple(sample_counters(sample) for sample in record),
        layer_cycles=layer_cycles(program, record[0]),
        layer_counters=layer_counters(program, record[0]),
        memory=memory,
        build_seconds=build_seconds,
        sim_seconds=sim_seconds,
        sim_cycles=record[-1].done,
    )


def _reason(completed: subprocess.CompletedProcess[str]) -> str:
    """The sentence of a ``$fatal`` in the system's sources, or the exit status of one that ended otherwise."""
    message = re.search(r"%Fatal: .*?: Assertion failed in [^:]*: (.*)", completed.stdout + completed.stderr)
    return message.group(1) if message else f"the simulator ended with status {completed.returncode}"


@dataclass(frozen=True)
class SampleRecord:
    """One sample's part of the results file; cycles count from the start of the simulation."""

    retirements: tuple[tuple[int, int], ...]
    """(engine, cycle) of each retired instruction."""
    done: int
    registers: dict[int, int]
    """Values read after the run, by register offset."""
    counters: dict[int, list[str]]
    """Values of all counters in the first sample, by the cycles in which an instruction retired."""


def parse_results(text: str) -> list[SampleRecord]:
    """Read the results file that hdl/cosynth_top.sv writes."""
    records = []
    for part in text.split("sample ")[1:]:
        events = [line.split() for line in part.splitlines()[1:]]
        records.append(
            SampleRecord(
                retirements=tuple((int(e[1]), int(e[2])) for e in events if e[0] == "retire"),
                done=next(int(e[1]) for e in events if e[0] == "done"),
                registers={int(e[1]): int(e[2]) for e in events if e[0] == "read"},
                counters={int(e[1]): e[2:] for e in events if e[0] == "counters"},
            )
        )
    return records


def sample_counters(record: SampleRecord) -> dict[str, int]:
    """Performance counters of a sample by name.

    Raises SimulationError when the accelerator is not one of ours or met a bus error.
    """
    identity, status = (record.registers[OFFSETS[name]] for name in ("IDENTITY", "STATUS"))
    if identity != IDENTITY:
        raise SimulationError(f"the accelerator identifies itself as 0x{identity:08x}, expected 0x{IDENTITY:08x}")
    if status & BUS_ERROR:
        raise SimulationError("the accelerator met a bus error")
    return counter_values([record.registers[COUNTER_BASE + 4 * i] for i in range(2 * len(COUNTERS))])


def layer_cycles(program: Program, record: SampleRecord) -> tuple[tuple[LayerSpan, int], ...]:
    """Cycles from each layer's completion to the next; the first counts from the start, the last to done."""
    start = record.done - sample_counters(record)["cycles"]
    bounds = pairwise((start, *_completions(program, record, start)))
    return tuple((layer, after - before) for layer, (before, after) in zip(program.layers, bounds, strict=True))


def layer_counters(program: Program, record: SampleRecord) -> tuple[dict[str, int], ...]:
    """What each counter counted from each layer's completion to the next."""
    total = sample_counters(record)
    nothing = dict.fromkeys(total, 0)
    start = record.done - total["cycles"]
    sums = [nothing]
    for completed in _completions(program, record, start)[:-1]:
        values = record.counters.get(completed)
        sums.append(sums[-1] if values is None else dict(zip(total, map(int, values), strict=True)))
    sums.append(total)
    return tuple({name: after[name] - before[name] for name in total} for before, after in pairwise(sums))


def _completions(program: Program, record: SampleRecord, start: int) -> tuple[int, ...]:
    """The cycle in which each layer is complete, never before the layer ahead of it."""
    retired: dict[int, list[int]] = {}
    for engine, cycle in record.retirements:
        retired.setdefault(engine, []).append(cycle)
    completions = [start]
    for layer in program.layers[:-1]:
        completions.append(max(completions[-1], retired[layer.engine][layer.retired - 1]))
    # The done signal follows the last retirement by a few cycles, which belong to the last layer.
    return (*completions[1:], record.done)
