"""Bench: ActBuffer, all four ports at once, against an array of bytes.

Fetches and write-backs proceed in every cycle. Loads and stores are offered until they are taken; what was taken may
wait, and hold up the next, only for a fetch that meets it in one of the memories, or a write-back on the way there.
"""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.config import ROW_BANKS
from hwgen.rtl.act_buffer import ActBuffer, PlaceLayout, load_layout, row_places, store_layout
from hwgen.rtl.step import FetchLayout
from sim.benches.components.setup import configuration, start

CONFIG = configuration()
WORD, HALF = CONFIG.act_word_bytes, CONFIG.act_bank_bytes
LoadLayout, StoreLayout = load_layout(CONFIG.bus_bytes), store_layout(CONFIG.bus_bytes)
CYCLES = 2000
Place = tuple[int, int]
Write = tuple[Place, int, int]
"""Place of the first byte, data, and which of their bytes to write."""


def random_place() -> Place:
    """Any bank and address; often one of the few words around the halves' ends, where ports meet."""
    address = random.choice((random.randrange(2 * HALF), random.randrange(-2 * WORD, 2 * WORD) % (2 * HALF), HALF - 3))
    return random.randrange(ROW_BANKS), address


def memories(place: Place) -> set[tuple[int, int, int]]:
    """(bank, parity, half) of the two words that hold a vector."""
    bank, address = place
    words = (address // WORD % (2 * HALF // WORD), (address // WORD + 1) % (2 * HALF // WORD))
    return {(bank, word % 2, word * WORD // HALF) for word in words}


def ways(place: Place) -> set[tuple[int, int]]:
    """(parity, half) of these words: two writes to the same meet, whatever their banks."""
    return {(odd, half) for _, odd, half in memories(place)}


def memories_of_bytes(place: Place, strobe: int) -> set[tuple[int, int, int]]:
    """The same of some bytes."""
    bank, first = place
    addresses = ((first + lane) % (2 * HALF) for lane in range(strobe.bit_length()) if strobe >> lane & 1)
    return {(bank, address // WORD % 2, address // HALF) for address in addresses}


class Model:
    """The buffer's bytes."""

    def __init__(self) -> None:
        self.banks = np.zeros((ROW_BANKS, 2 * HALF), dtype=np.uint8)

    def read(self, place: Place, size: int) -> int:
        bank, address = place
        return int.from_bytes(self.banks[bank].take(range(address, address + size), mode="wrap").tobytes(), "little")

    def write(self, place: Place, data: int, strobe: int) -> None:
        bank, address = place
        for lane in range(strobe.bit_length()):
            if strobe >> lane & 1:
                self.banks[bank, (address + lane) % (2 * HALF)] = data >> 8 * lane & 0xFF


@cocotb.test()
async def agrees_with_an_array_of_bytes(dut: Any) -> None:
    await start(dut, "fetch", "write_strobe", "load__valid", "store__valid")
    model = Model()
    fetched: dict[int, dict[int, int]] = {}
    stored: dict[int, tuple[int, int]] = {}
    """Beats to come, and which of their bytes are wanted."""
    # What the memories read in a cycle was presented in the cycle before, or waits; so is what they are about to write.
    fetching: dict[int, Place] = {}
    landing: list[Write] = []
    writing: Write = ((0, 0), 0, 0)
    write: Write = ((0, 0), 0, 0)
    loading: Write | None = None
    storing: deque[tuple[int, Place, int]] = deque()
    """What was taken and is not read, and from when on it may be."""
    meets = False
    """In the cycle before, a fetch was in the way."""
    load: Write | None = None
    store: tuple[Place, int] | None = None
    for cycle in range(CYCLES):
        await FallingEdge(dut.clk)
        for row, expected in fetched.pop(cycle, {}).items():
            assert int(dut.fetched.value) >> 8 * CONFIG.rows * row & (1 << 8 * CONFIG.rows) - 1 == expected
        assert dut.stored_valid.value == (cycle in stored)
        if cycle in stored:
            held, strobe = stored.pop(cycle)
            wanted = sum(0xFF << 8 * lane for lane in range(CONFIG.bus_bytes) if strobe >> lane & 1)
            assert int(dut.stored.value) & wanted == held & wanted

        bank, address = random_place()
        wrapped = (address + WORD * random.randrange(2 * HALF // WORD)) % (2 * HALF)
        rows = random.choice((0, random.randrange(1 << ROW_BANKS)))
        fetch = {"rows": rows, "bank": bank, "address": address, "wrapped_address": wrapped}
        places = row_places(bank, address, wrapped - address, ROW_BANKS)
        places = [(bank, address % (2 * HALF)) for bank, address in places]
        dut.fetch.value = FetchLayout.const(fetch).as_bits()
        load = load or random.choice((None, (random_place(), *random_bytes(CONFIG.bus_bytes))))
        store = store or random.choice((None, (random_place(), random_bytes(CONFIG.bus_bytes)[1] or 1)))
        dut.load__valid.value = load is not None
        if load is not None:
            beat = {"place": dict(zip(("bank", "address"), load[0], strict=True)), "data": load[1], "strobe": load[2]}
            dut.load__payload.value = LoadLayout.const(beat).as_bits()
        dut.store__valid.value = store is not None
        if store is not None:
            place = dict(zip(("bank", "address"), store[0], strict=True))
            dut.store__payload.value = StoreLayout.const({"place": place, "strobe": store[1]}).as_bits()
        # A write-back's data come a cycle after the rest of it.
        dut.write_data.value = write[1]
        write, presented = (random_place(), *random_bytes(CONFIG.requant_lanes)), write
        dut.write_place.value, dut.write_strobe.value = place_bits(write[0]), write[2]

        await ReadOnly()
        fetched[cycle - 1 + ActBuffer.fetch_latency] = {
            row: model.read(place, CONFIG.rows) for row, place in fetching.items()
        }
        load_ready, store_ready = bool(dut.load__ready.value), bool(dut.store__ready.value)
        assert store_ready or meets, "a store waits for nothing"
        met, meets = set().union(*map(memories, fetching.values())), False
        if storing and storing[0][0] <= cycle:
            _, read_place, strobe = storing[0]
            meets = bool(memories_of_bytes(read_place, strobe) & met)
            if not meets:
                storing.popleft()
                stored[cycle + ActBuffer.read_latency] = model.read(read_place, CONFIG.bus_bytes), strobe
        for landed in landing:
            model.write(*landed)
        landing = [writing, *([loading] if loading is not None and load_ready else [])]
        assert load_ready or (loading and ways(loading[0]) & ways(writing[0])), "a load waits for nothing"
        fetching = {row: places[row] for row in range(ROW_BANKS) if rows >> row & 1}
        writing = presented
        if load_ready:
            loading, load = load, None
        if store_ready:
            if store is not None:
                storing.append((cycle + ActBuffer.store_latency - ActBuffer.read_latency, *store))
            store = None


def random_bytes(lanes: int) -> tuple[int, int]:
    """Data, and which of their bytes to write."""
    return random.getrandbits(8 * lanes), random.choice((0, (1 << lanes) - 1, random.getrandbits(lanes)))


def place_bits(place: Place) -> int:
    return PlaceLayout.const(dict(zip(("bank", "address"), place, strict=True))).as_bits()
