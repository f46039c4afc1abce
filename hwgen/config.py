"""AcceleratorConfig: every parameter of the generated accelerator, checked once, with named presets."""

from __future__ import annotations

import re
import tomllib
import zlib
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from hwgen.errors import InputError


class ConfigError(InputError):
    """An illegal accelerator configuration; the message names the field, the value and what is accepted."""


class Dataflow(StrEnum):
    """Which operand stays in the processing elements while the others move."""

    OS = "os"
    """Output-stationary: partial sums stay in the register file until they are complete."""
    WS = "ws"
    """Weight-stationary: weights stay in the register file while a block of pixels passes them."""
    RS = "rs"
    """Row-stationary: a kernel row's weights stay, and so do the operands that the next pixel shares."""


ROW_BANKS = 4
"""Rows of a tile that the activation buffer can be asked for at once."""
BUS_WIDTHS = (32, 64, 128, 256)
KIB = 1024
PARTIAL_SUM_PIXELS = 32
"""Pixels of a block where the register file holds weights, and the array has a memory for partial sums."""
INTEGER = re.compile("-?[0-9]{1,9}")
"""Overrides that are integers; longer ones are beyond every field's range."""


def _power_of_two_at_least(value: int) -> int:
    return 1 << (value - 1).bit_length()


@dataclass(frozen=True)
class AcceleratorConfig:
    """One accelerator. Every field changes the RTL; everything else about the hardware is derived from these."""

    rows: int = 8
    """Reduction lanes: activations that enter the array per cycle (2 to 32)."""
    cols: int = 8
    """Output channels computed in parallel (2 to 32); the array has rows x cols multipliers."""
    dataflow: Dataflow = Dataflow.OS
    rf_depth: int = 16
    """Entries that a processing element keeps of what is stationary (1 to 64): partial sums, twice, weights, or both
    weights and operands."""
    act_buffer_kib: int = 64
    """Activation buffer, split in two halves (power of two, 4 to 1024)."""
    weight_buffer_kib: int = 32
    """Weight buffer (1 to 1024), at least 16 words of rows x cols bytes."""
    param_channels: int = 256
    """Channels whose bias and scale are held on chip (2 x cols to 4096)."""
    bus_bits: int = 64
    """Width of the AXI4 data bus (32, 64, 128 or 256)."""
    requant_lanes: int = 4
    """Accumulators scaled to int8 per cycle (1 to cols)."""

    def __post_init__(self) -> None:
        if not isinstance(self.dataflow, Dataflow):
            accepted = ", ".join(Dataflow)
            if self.dataflow not in tuple(Dataflow):
                raise ConfigError(f"dataflow: {self.dataflow!r} is not available; accepted: {accepted}")
            object.__setattr__(self, "dataflow", Dataflow(self.dataflow))
        self._require_range("rows", 2, 32)
        self._require_range("cols", 2, 32)
        self._require_range("rf_depth", 1, 64)
        self._require_range("act_buffer_kib", 4, 1024)
        if self.act_buffer_kib & (self.act_buffer_kib - 1):
            raise ConfigError(
                f"act_buffer_kib: {self.act_buffer_kib} is out of range; accepted: a power of two from 4 to 1024"
            )
        self._require_range("weight_buffer_kib", 1, 1024)
        if self.weight_words < 16:
            needed = -(-16 * self.rows * self.cols // KIB)
            raise ConfigError(
                f"weight_buffer_kib: {self.weight_buffer_kib} holds fewer than 16 words of rows x cols bytes; "
                f"accepted: {needed} to 1024 for a {self.rows}x{self.cols} array"
            )
        self._require_range("param_channels", 2 * self.cols, 4096)
        if not isinstance(self.bus_bits, int) or self.bus_bits not in BUS_WIDTHS:
            raise ConfigError(f"bus_bits: {self.bus_bits!r} is not supported; accepted: 32, 64, 128 or 256")
        self._require_range("requant_lanes", 1, self.cols)

    def _require_range(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ConfigError(f"{name}: {value!r} is out of range; accepted: an integer from {low} to {high}")

    @property
    def multipliers(self) -> int:
        """Multipliers in the array: peak MACs per cycle."""
        return self.rows * self.cols

    @property
    def block_pixels(self) -> int:
        """Output pixels whose partial sums the array holds at once, and which share what is read of the weights."""
        return self.rf_depth if self.dataflow is Dataflow.OS else PARTIAL_SUM_PIXELS

    @property
    def partial_sums(self) -> int:
        """Partial sums per column: pixels are drained while others are computed."""
        return 2 * self.block_pixels

    @property
    def bus_bytes(self) -> int:
        return self.bus_bits // 8

    @property
    def act_word_bytes(self) -> int:
        """Bytes per activation buffer word: a fetch, a beat and a write-back each span at most two words."""
        return _power_of_two_at_least(max(self.rows, self.bus_bytes, self.requant_lanes))

    @property
    def act_bank_bytes(self) -> int:
        """Bytes that each row bank has in each of the activation buffer's two halves."""
        return self.act_buffer_kib * KIB // (2 * ROW_BANKS)

    @property
    def weight_words(self) -> int:
        """Words of rows x cols bytes that the weight buffer holds."""
        return self.weight_buffer_kib * KIB // (self.rows * self.cols)

    @property
    def parameter_words(self) -> int:
        """Words of ``requant_lanes`` channels that the parameter buffer holds."""
        return self.param_channels // self.requant_lanes

    @property
    def fingerprint(self) -> int:
        """32 bits that tell this configuration from others."""
        return zlib.crc32(repr(self).encode())

    @property
    def eltwise_lanes(self) -> int:
        """Elements of an addition computed per step."""
        return min(self.rows, self.requant_lanes)


PRESETS: dict[str, AcceleratorConfig] = {
    "default": AcceleratorConfig(),
    "max64": AcceleratorConfig(
        rows=8,
        cols=8,
        rf_depth=32,
        act_buffer_kib=256,
        weight_buffer_kib=128,
        param_channels=2048,
        bus_bits=128,
        requant_lanes=8,
    ),
    "max256": AcceleratorConfig(
        rows=16,
        cols=16,
        rf_depth=32,
        act_buffer_kib=256,
        weight_buffer_kib=224,
        param_channels=2048,
        bus_bits=128,
        requant_lanes=16,
    ),
}


def load_config(source: str, overrides: tuple[str, ...] = ()) -> AcceleratorConfig:
    """The configuration that a user named: a preset or a TOML file, with ``field=value`` overrides.

    Raises ConfigError when the preset, the file, a field or a value is not accepted.
    """
    if source in PRESETS:
        values = {f.name: getattr(PRESETS[source], f.name) for f in fields(AcceleratorConfig)}
    else:
        values = _read_toml(source)
    for override in overrides:
        name, separator, value = (part.strip() for part in override.partition("="))
        if not (name and separator):
            raise ConfigError(f"set: {override!r} is not of the form field=value")
        values[name] = int(value) if INTEGER.fullmatch(value) else value
    known = {f.name for f in fields(AcceleratorConfig)}
    for name in values:
        if name not in known:
            raise ConfigError(f"{name}: no such field; accepted: {', '.join(sorted(known))}")
    return replace(PRESETS["default"], **values)


def _read_toml(source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(source).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"accelerator: {source} is not a TOML file ({error})") from error
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"accelerator: {source!r} is neither a preset ({', '.join(PRESETS)}) nor a TOML file that can be read"
        ) from error
