"""simulate: what a run on the (stub) accelerator reports, and how runs that go wrong end."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hwgen.memory_model import MemoryModel, MemoryModelError
from hwgen.program import Engine, LayerSpan, Program
from sim.simulate import run, simulator, tracing
from sim.system import SimulationError
from sim.verilator import build
from tests.sim.stubs import copy_program, stub_verilog

BUS_BITS = 64


@pytest.fixture(scope="module")
def executable() -> Path:
    return build(simulator(stub_verilog(BUS_BITS), BUS_BITS))


def random_inputs(program: Program, samples: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(-128, 128, (samples, *program.input.shape)).astype(np.int8)


def test_each_sample_gets_its_own_output(executable: Path) -> None:
    program = copy_program(bursts=5)
    inputs = random_inputs(program, samples=3)
    measurement = run(executable, program, inputs, MemoryModel())
    np.testing.assert_array_equal(measurement.outputs, inputs)
    assert len(measurement.sample_counters) == 3


def test_cycles_are_the_accelerators_own_count_and_repeat_exactly(executable: Path) -> None:
    program = copy_program(bursts=5)
    measurement = run(executable, program, random_inputs(program, samples=3), MemoryModel())
    assert {counters["cycles"] for counters in measurement.sample_counters} == {measurement.cycles}


@pytest.mark.parametrize(("latency", "bursts"), [(2, 3), (32, 3), (200, 4)])
def test_memory_latency_shows_in_cycles_exactly(executable: Path, latency: int, bursts: int) -> None:
    """The stub waits for every burst's first beat and for every write's response, and for the image's first word."""
    program = copy_program(bursts)
    fast = run(executable, program, random_inputs(program), MemoryModel(latency_cycles=2)).cycles
    slow = run(executable, program, random_inputs(program), MemoryModel(latency_cycles=latency)).cycles
    assert slow - fast == (latency - 2) * (1 + 2 * bursts)


def test_memory_bandwidth_shows_in_cycles_exactly(executable: Path) -> None:
    """A burst of 16 beats has 15 intervals, once read and once written."""
    program = copy_program(bursts=4)
    full = run(executable, program, random_inputs(program), MemoryModel()).cycles
    third = run(executable, program, random_inputs(program), MemoryModel(cycles_per_beat=3)).cycles
    assert third - full == 4 * 2 * 15 * (3 - 1)


def test_layer_cycles_add_up_and_follow_the_retired_instructions(executable: Path) -> None:
    spans = (
        LayerSpan("a", "copy", 0, Engine.STORE, 1),
        LayerSpan("b", "copy", 0, Engine.LOAD, 3),
        LayerSpan("c", "copy", 0, Engine.STORE, 6),
    )
    program = dataclasses.replace(copy_program(bursts=6), layers=spans)
    measurement = run(executable, program, random_inputs(program), MemoryModel())
    (_, first), (_, second), (_, third) = measurement.layer_cycles
    assert first + second + third == measurement.cycles
    # A round of the stub reads a burst, then writes it: b ends in the middle of the third round, c after the sixth.
    assert first < second < third


def test_layer_counters_add_up_and_count_their_layers_cycles(executable: Path) -> None:
    program = copy_program(bursts=6)
    measurement = run(executable, program, random_inputs(program), MemoryModel())
    assert [counters["cycles"] for counters in measurement.layer_counters] == [c for _, c in measurement.layer_cycles]
    for name, total in measurement.counters.items():
        assert sum(counters[name] for counters in measurement.layer_counters) == total


def test_outputs_beyond_the_last_page_boundary(executable: Path) -> None:
    program = copy_program(bursts=70)
    inputs = random_inputs(program)
    np.testing.assert_array_equal(run(executable, program, inputs, MemoryModel()).outputs, inputs)


@pytest.mark.parametrize("shape", [(0, 1, 1, 128), (1, 1, 128), (1, 1, 2, 128)])
def test_inputs_of_another_shape_are_refused(executable: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(SimulationError, match=r"does not fit; accepted: int8 \(N, 1, 1, 128\)"):
        run(executable, copy_program(bursts=1), np.zeros(shape, np.int8), MemoryModel())


def test_output_never_written_is_an_error(executable: Path) -> None:
    program = copy_program(bursts=3, copied=2)
    with pytest.raises(SimulationError, match="byte 256 of sample 0's output was never written"):
        run(executable, program, random_inputs(program), MemoryModel())


def test_reading_what_was_never_written_is_an_error(executable: Path) -> None:
    program = copy_program(bursts=2, copied=70)
    with pytest.raises(SimulationError, match="read of memory that was never written at 0x"):
        run(executable, program, random_inputs(program), MemoryModel())


def test_writing_outside_the_output_is_an_error(executable: Path) -> None:
    program = dataclasses.replace(copy_program(bursts=2), output=copy_program(bursts=1).output)
    with pytest.raises(SimulationError, match="is neither in the scratch nor in the output region"):
        run(executable, program, random_inputs(program), MemoryModel())


def test_a_hang_ends_with_a_message() -> None:
    """A stub whose stores never see a response."""
    deaf = stub_verilog(BUS_BITS).replace("if (m_axi_bvalid) begin", "if (m_axi_bvalid && 1'b0) begin")
    program = copy_program(bursts=2)
    with pytest.raises(SimulationError, match="hang: no instruction retired and no data transferred"):
        run(build(simulator(deaf, BUS_BITS)), program, random_inputs(program), MemoryModel())


def test_a_simulator_that_dies_is_reported() -> None:
    with pytest.raises(SimulationError, match="the simulator ended with status 1"):
        run(Path("/bin/false"), copy_program(1), random_inputs(copy_program(1)), MemoryModel())


def test_another_accelerator_is_recognised() -> None:
    stranger = stub_verilog(BUS_BITS).replace("434F5359", "DEADBEEF")
    program = copy_program(bursts=1)
    with pytest.raises(SimulationError, match="identifies itself as 0xdeadbeef, expected 0x434f5359"):
        run(build(simulator(stranger, BUS_BITS)), program, random_inputs(program), MemoryModel())


def test_a_trace_is_written_and_changes_nothing_else(executable: Path, tmp_path: Path) -> None:
    program = copy_program(bursts=2)
    inputs = random_inputs(program)
    plain = run(executable, program, inputs, MemoryModel())
    traced = run(
        build(tracing(simulator(stub_verilog(BUS_BITS), BUS_BITS))), program, inputs, MemoryModel(), tmp_path / "t.fst"
    )
    assert traced.counters == plain.counters
    names, block = fst_hierarchy(tmp_path / "t.fst")
    assert b"m_axi_awvalid" in block and names == len(block)


def fst_hierarchy(path: Path) -> tuple[int, bytes]:
    """Stated size and text of an FST file's hierarchy block (type 6), an LZ4 block of literals alone."""
    file = path.read_bytes()
    position = 0
    while file[position] != 6:
        position += 1 + int.from_bytes(file[position + 1 : position + 9], "big")
    length = int.from_bytes(file[position + 1 : position + 9], "big")
    stated = int.from_bytes(file[position + 9 : position + 17], "big")
    block = file[position + 17 : position + 1 + length]
    assert block[0] == 0xF0
    extra = next(i for i, byte in enumerate(block[1:], start=1) if byte != 255)
    literals = 15 + sum(block[1 : extra + 1])
    assert literals == len(block) - extra - 1
    return stated, block[extra + 1 :]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"latency_cycles": 1}, "latency_cycles: 1 .* at least 2"),
        ({"cycles_per_beat": 0}, "cycles_per_beat: 0 .* at least 1"),
    ],
)
def test_impossible_memories_are_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(MemoryModelError, match=message):
        MemoryModel(**values)
