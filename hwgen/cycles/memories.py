"""Which memories of the activation buffer results and the beats of transfers touch.

Each row bank has an even and an odd memory of words in two halves. Sets of memories are integers, a bit each.
"""

from __future__ import annotations

import numpy as np

from hwgen.config import ROW_BANKS, AcceleratorConfig

HALVES = 2
LOWER = sum(1 << 4 * bank + 2 * odd for bank in range(ROW_BANKS) for odd in range(2))
"""The memories of the lower half; the upper's are the bits above theirs."""

Fields = dict[str, int]


def touched(bank: np.ndarray, first: np.ndarray, last: np.ndarray, config: AcceleratorConfig) -> np.ndarray:
    """int64: the memories of the words ``first`` to ``last`` (the same or the next) of a bank."""
    half_words = config.act_bank_bytes // config.act_word_bytes

    def memory(word: np.ndarray) -> np.ndarray:
        return np.left_shift(1, 4 * bank + 2 * (word % 2) + word // half_words % HALVES)

    memories: np.ndarray = memory(first) | memory(last)
    return memories


def in_halves(start: int, end: int, config: AcceleratorConfig) -> int:
    """The memories of the halves that [start, end) of the addresses lies in."""
    first, last = (address // config.act_bank_bytes for address in (start, end - 1))
    return LOWER | LOWER << 1 if first != last else LOWER << first % HALVES


def mac_results(fields: Fields, starts: np.ndarray, config: AcceleratorConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cycle and memories of each result of a MAC instruction; ``starts``: the cycle of each pixel's first."""
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
        cycles.append((pixel_starts[:, :, None] + np.arange(len(first))).ravel())
    return np.concatenate(cycles), np.concatenate(memories)


def add_results(fields: Fields, first: int, interval: int, config: AcceleratorConfig) -> tuple[np.ndarray, np.ndarray]:
    """The same of an ADD instruction, whose results are written from cycle ``first`` on, ``interval`` apart."""
    row = np.arange(fields["rows"])
    element = np.arange(0, fields["row_elements"], config.eltwise_lanes)
    address = fields["out_address"] + (row // ROW_BANKS * fields["pitch"])[:, None] + element
    end = address + np.minimum(config.eltwise_lanes, fields["row_elements"] - element) - 1
    words = address // config.act_word_bytes, end // config.act_word_bytes
    memories = touched((row % ROW_BANKS)[:, None], *words, config).ravel()
    return first + interval * np.arange(memories.size), memories


def load_memories(fields: Fields, config: AcceleratorConfig) -> np.ndarray:
    """int64: the memories whose results each beat of a LOAD_ACT meets on its way.

    Those of two words, wherever in the first it begins, in any bank.
    """
    _, beat_address, _, _ = _beats(fields, config)
    word = beat_address // config.act_word_bytes
    in_first_bank = touched(np.zeros_like(word), word, word + 1, config)
    return in_first_bank * sum(1 << 4 * bank for bank in range(ROW_BANKS))


def store_memories(fields: Fields, config: AcceleratorConfig) -> np.ndarray:
    """int64: the memories of each beat of a STORE: those of the bytes that belong to the row."""
    bank, beat_address, first, last = _beats(fields, config)
    return touched(
        bank, (beat_address + first) // config.act_word_bytes, (beat_address + last) // config.act_word_bytes, config
    )


def _beats(fields: Fields, config: AcceleratorConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of each beat: bank, address of its first byte, and the first and the last of its bytes that are the row's."""
    bus = config.bus_bytes
    rows = np.arange(fields["rows"])
    bank, address = np.full(rows.shape, fields["bank"]), fields["act_address"] + rows * fields["act_pitch"]
    if fields["banked"]:
        bank, address = bank + rows, fields["act_address"] + (bank + rows) // ROW_BANKS * fields["act_pitch"]
    start = (fields["dram_offset"] + rows * fields["dram_pitch"]) % bus
    beats = -(-(start + fields["row_bytes"]) // bus)
    row = np.repeat(rows, beats)
    position = bus * (np.arange(row.size) - (np.cumsum(beats) - beats)[row])
    first = np.maximum(start[row] - position, 0)
    last = np.minimum(start[row] + fields["row_bytes"] - position, bus) - 1
    return bank[row] % ROW_BANKS, (address - start)[row] + position, first, last
