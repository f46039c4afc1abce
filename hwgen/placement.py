"""Placement: where a Program's regions lie in the accelerator's memory."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.errors import InputError
from hwgen.program import Program

PAGE = 4096


class PlacementError(InputError):
    """A program that a memory has no room for."""


@dataclass(frozen=True)
class Placement:
    """Base addresses of a Program's regions."""

    image: int
    input: int
    scratch: int
    output: int


def place(program: Program, memory_bytes: int) -> Placement:
    """Place the regions one after the other, with an empty page before each so that overruns are noticed.

    Raises PlacementError when they do not fit into ``memory_bytes``.
    """
    bases = []
    end = 0
    for size in (len(program.image), program.input.elements, program.scratch_bytes, program.output.elements):
        bases.append(end + PAGE)
        end = -(-(bases[-1] + size) // PAGE) * PAGE
    if end > memory_bytes:
        raise PlacementError(
            f"network: {program.network} needs {end} bytes of memory; accepted: at most {memory_bytes}"
        )
    return Placement(*bases)
