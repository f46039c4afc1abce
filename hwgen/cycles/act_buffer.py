"""Activation buffer: which memories the results of computations are written to, cycle by cycle.

Each row bank has an even and an odd memory of words in two halves. A beat from memory waits while a result is written
to a memory that the beat touches. The results' cycles are worked out only where such a beat may meet them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.rtl import act_buffer as rtl
from hwgen.rtl.requantise import RequantiseLane

HALVES = 2
WRITE_LATENCY = RequantiseLane.latency + rtl.ActBuffer.write_latency
"""Cycles from the drain's taking sums to the cycle in which their results are written."""


def touched(bank: np.ndarray, first: np.ndarray, last: np.ndarray, config: AcceleratorConfig) -> np.ndarray:
    """int64: the memories, a bit each, of the words ``first`` to ``last`` (the same or the next) of a bank."""
    half_words = config.act_bank_bytes // config.act_word_bytes

    def memory(word: np.ndarray) -> np.ndarray:
        return np.left_shift(1, 4 * bank + 2 * (word % 2) + word // half_words % HALVES)

    memories: np.ndarray = memory(first) | memory(last)
    return memories


@dataclass(frozen=True)
class Results:
    """One instruction's results on their way to the buffer."""

    last: int
    """The cycle in which the last of them is written."""
    halves: int
    """A bit per half of the buffer that they may go to."""
    walk: Callable[[], tuple[np.ndarray, np.ndarray]]
    """Gives the cycle in which each is written and the memories that it touches."""

    @cached_property
    def by_cycle(self) -> dict[int, int]:
        """The memories written in each cycle."""
        cycles, memories = self.walk()
        return dict(zip(cycles.tolist(), memories.tolist(), strict=True))


class ActBuffer:
    """``hwgen.rtl.act_buffer``, as far as what meets in it delays transfers."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        self._results: list[Results] = []

    def write(self, results: Results) -> None:
        """An instruction's results will be written."""
        self._results.append(results)

    def first_free(self, cycle: int, memories: int, until: int) -> int | None:
        """The first cycle from ``cycle`` to ``until`` in which nothing is written to ``memories``; None if none is."""
        self._results = [results for results in self._results if results.last >= cycle]
        halves = _halves(memories)
        writers = [results.by_cycle for results in self._results if results.halves & halves]
        while cycle <= until:
            if not any(writes.get(cycle, 0) & memories for writes in writers):
                return cycle
            cycle += 1
        return None

    def halves(self, start: int, end: int) -> int:
        """The halves that [start, end) of the addresses lies in, a bit each."""
        first, last = (address // self._config.act_bank_bytes for address in (start, end - 1))
        return (1 << HALVES) - 1 if last - first >= HALVES - 1 and first != last else 1 << first % HALVES


def _halves(memories: int) -> int:
    lower = sum(1 << 4 * bank + 2 * odd for bank in range(ROW_BANKS) for odd in range(2))
    return bool(memories & lower) | bool(memories & lower << 1) << 1


def mac_results(
    fields: dict[str, int], starts: np.ndarray, latency: int, config: AcceleratorConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Cycle and memories of each result of a MAC instruction.

    ``starts`` has the cycle in which the drain begins each pixel, group by group; its results are written ``latency``
    later.
    """
    height, width, lanes = fields["out_height"], fields["out_width"], config.requant_lanes
    pixels = starts.reshape(fields["groups"], height, width)
    cycles, memories = [], []
    for group, pixel_starts in enumerate(pixels):
        channels = fields["last_channels"] if group == fields["groups"] - 1 else fields["group_channels"]
        first = np.arange(0, channels, lanes)
        row = fields["out_bank"] + np.arange(height)
        address = (
            fields["out_address"]
            + (row // ROW_BANKS * fields["out_pitch"])[:, None, None]
            + (np.arange(width) * fields["out_step"])[:, None]
            + group * fields["group_channels"]
            + first
        )
        end = address + np.minimum(lanes, channels - first) - 1
        words = address // config.act_word_bytes, end // config.act_word_bytes
        memories.append(touched((row % ROW_BANKS)[:, None, None], *words, config).ravel())
        cycles.append((pixel_starts[:, :, None] + np.arange(len(first)) + latency).ravel())
    return np.concatenate(cycles), np.concatenate(memories)


def add_results(
    fields: dict[str, int], first: int, interval: int, config: AcceleratorConfig
) -> tuple[np.ndarray, np.ndarray]:
    """The same of an ADD instruction, whose results are written from cycle ``first`` on, ``interval`` apart."""
    row = np.arange(fields["rows"])
    element = np.arange(0, fields["row_elements"], config.eltwise_lanes)
    address = fields["out_address"] + (row // ROW_BANKS * fields["pitch"])[:, None] + element
    end = address + np.minimum(config.eltwise_lanes, fields["row_elements"] - element) - 1
    words = address // config.act_word_bytes, end // config.act_word_bytes
    memories = touched((row % ROW_BANKS)[:, None], *words, config).ravel()
    return first + interval * np.arange(memories.size), memories


def beat_memories(fields: dict[str, int], config: AcceleratorConfig) -> list[int]:
    """The memories that each beat of a LOAD_ACT touches: those of two words, wherever in the first it begins."""
    bus = config.bus_bytes
    memories: list[int] = []
    for row in range(fields["rows"]):
        bank, address = fields["bank"], fields["act_address"]
        if fields["banked"]:
            bank, address = (bank + row) % ROW_BANKS, address + (bank + row) // ROW_BANKS * fields["act_pitch"]
        else:
            address += row * fields["act_pitch"]
        start = (fields["dram_offset"] + row * fields["dram_pitch"]) % bus
        beats = -(-(start + fields["row_bytes"]) // bus)
        word = (address - start + np.arange(beats) * bus) // config.act_word_bytes
        memories += touched(np.array(bank), word, word + 1, config).tolist()
    return memories
