"""The driver: a Program is loaded into a board, started for each input, and its outputs and counters are read."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from flows.board.link import BoardLink, BoardLinkError
from hwgen.board.block_memory import BLOCK_MEMORY
from hwgen.board.protocol import DESCRIPTION_MARK, WORD_BYTES, Description, Space
from hwgen.config import AcceleratorConfig
from hwgen.cycles import predict
from hwgen.isa import Region
from hwgen.placement import Placement, place
from hwgen.program import Program
from hwgen.registers import BUS_ERROR, COUNTER_BASE, COUNTERS, DONE, IDENTITY, OFFSETS, counter_values
from sim.execution import Execution

PATIENCE = 4
"""Times the predicted cycles after which a run is given up."""
UNWRITTEN = 0x5A5A5A5A
"""What the output region holds before a run, so that an earlier run's outputs are not taken for this one's."""


@dataclass(frozen=True, eq=False)
class BoardExecution(Execution):
    """What a board showed."""

    clock_hz: int
    """Of the board's clock, as the board says."""


def describe(link: BoardLink) -> Description:
    """What the board says of itself. Raises BoardLinkError where it is none of ours."""
    words = link.read(Space.DESCRIPTION.base, len(fields(Description)))
    description = Description(*words)
    if description.mark != DESCRIPTION_MARK:
        raise BoardLinkError(f"the board describes itself as 0x{description.mark:08x}, not 0x{DESCRIPTION_MARK:08x}")
    return description


def run_program(link: BoardLink, program: Program, inputs: np.ndarray) -> BoardExecution:
    """Run ``inputs`` (int8 [N, height, width, channels]) one after the other on the board.

    Raises PlacementError where the board's memory is too small, BoardLinkError where the board carries another
    accelerator, does not answer, hangs or meets a bus error.
    """
    description = describe(link)
    _require_accelerator(link, description, program.config)
    placement = place(program, description.memory_bytes)
    limit = PATIENCE * predict(program, BLOCK_MEMORY).cycles
    link.write(placement.image, _words(program.image))
    bases = {
        Region.IMAGE: placement.image,
        Region.SCRATCH: placement.scratch,
        Region.INPUT: placement.input,
        Region.OUTPUT: placement.output,
    }
    for region, base in bases.items():
        _write_register(link, f"{region.name}_BASE", base)
    runs = [_run_sample(link, program, placement, sample, limit) for sample in inputs]
    return BoardExecution(
        outputs=np.stack([output for output, _ in runs]),
        sample_counters=tuple(counters for _, counters in runs),
        memory=BLOCK_MEMORY,
        clock_hz=description.clock_hz,
    )


def _require_accelerator(link: BoardLink, description: Description, config: AcceleratorConfig) -> None:
    identity = _read_register(link, "IDENTITY")
    if identity != IDENTITY:
        raise BoardLinkError(f"the accelerator identifies itself as 0x{identity:08x}, expected 0x{IDENTITY:08x}")
    if description.accelerator != config.fingerprint:
        geometry = _read_register(link, "GEOMETRY")
        rows, cols, bus_bits = geometry & 0xFF, geometry >> 8 & 0xFF, geometry >> 16
        raise BoardLinkError(
            f"the board carries another accelerator than --accelerator names: its array is {rows}x{cols}, its bus "
            f"{bus_bits} bits wide, and all other fields have to agree as well"
        )


def _run_sample(
    link: BoardLink, program: Program, placement: Placement, sample: np.ndarray, limit: int
) -> tuple[np.ndarray, dict[str, int]]:
    """Output and counters of one inference."""
    output_words = -(-program.output.elements // WORD_BYTES)
    link.write(placement.input, _words(np.ascontiguousarray(sample).tobytes()))
    link.write(placement.output, [UNWRITTEN] * output_words)
    _write_register(link, "CONTROL", 1)
    while not (status := _read_register(link, "STATUS")) & DONE:
        cycles = _counters(link)["cycles"]
        if cycles > limit:
            raise BoardLinkError(
                f"hang: the accelerator is not done after {cycles} cycles, {PATIENCE} times the predicted"
            )
    if status & BUS_ERROR:
        raise BoardLinkError("the accelerator met a bus error")
    data = np.array(link.read(placement.output, output_words), dtype="<u4").tobytes()[: program.output.elements]
    return np.frombuffer(data, np.int8).reshape(program.output.shape), _counters(link)


def _counters(link: BoardLink) -> dict[str, int]:
    return counter_values(link.read(Space.REGISTERS.base + COUNTER_BASE, 2 * len(COUNTERS)))


def _read_register(link: BoardLink, name: str) -> int:
    return link.read(Space.REGISTERS.base + OFFSETS[name], 1)[0]


def _write_register(link: BoardLink, name: str, value: int) -> None:
    link.write(Space.REGISTERS.base + OFFSETS[name], [value])


def _words(data: bytes) -> list[int]:
    """Words of ``data``, which zeros complete."""
    padded = data + bytes(-len(data) % WORD_BYTES)
    words: list[int] = np.frombuffer(padded, "<u4").tolist()
    return words
