"""What a board is made of, beside the accelerator's own configuration."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.board.protocol import DESCRIPTION_MARK, Description
from hwgen.config import KIB, AcceleratorConfig
from hwgen.errors import InputError

BOARD_MODULE = "cosynth_board"
LEAST_DIVISOR = 2
"""Clock cycles per bit of the serial line, where both ends have the same clock; where not, take at least 8."""
QUIET_SECONDS = 0.02
"""Within a request, a host's USB serial port may pause for some milliseconds."""


class BoardError(InputError):
    """A board that cannot be made."""


@dataclass(frozen=True)
class BoardConfig:
    """An accelerator with on-chip memory and a serial line to the host."""

    accelerator: AcceleratorConfig
    memory_kib: int = 256
    """Holds a program, its input, scratch and output; a power of two (16 to 4096)."""
    clock_hz: int = 25_000_000
    baud: int = 1_000_000
    """Bits per second of the serial line, of which the clock should be a multiple."""

    def __post_init__(self) -> None:
        if self.memory_kib not in [1 << bits for bits in range(4, 13)]:
            raise BoardError(f"memory_kib: {self.memory_kib} is out of range; accepted: a power of two from 16 to 4096")
        if not self.divisor >= LEAST_DIVISOR:
            accepted = f"at most {self.clock_hz // LEAST_DIVISOR} with a clock of {self.clock_hz} Hz"
            raise BoardError(f"baud: {self.baud} is out of range; accepted: {accepted}")

    @property
    def memory_bytes(self) -> int:
        return self.memory_kib * KIB

    @property
    def divisor(self) -> int:
        """Clock cycles per bit of the serial line."""
        return round(self.clock_hz / self.baud)

    @property
    def silence(self) -> int:
        """Clock cycles of quiet on the line after which a request is given up."""
        return round(self.clock_hz * QUIET_SECONDS)

    @property
    def description(self) -> Description:
        """What the board says of itself."""
        return Description(DESCRIPTION_MARK, self.memory_bytes, self.clock_hz, self.accelerator.fingerprint)
