"""Bench: RowBeats, random tiles through pausing streams, against ``row_beats``; and that no cycle goes unused."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from hwgen.isa import ACT_ADDRESS_BITS
from hwgen.rtl.row_beats import RowBeats, buffer_rows_layout, row_beat_layout, row_beats
from sim.benches.components.setup import start
from sim.benches.streams import get, put

BUS_BYTES = int(str(cocotb.plusargs["bus_bytes"]))
TILES = 100


def random_tile() -> dict[str, int]:
    """The fields of ``row_beats``."""
    return {
        "opcode": random.randrange(16),
        "bank": random.randrange(4),
        "address": random.randrange(1 << ACT_ADDRESS_BITS),
        "pitch": random.randrange(1000),
        "banked": random.randrange(2),
        "start": random.randrange(BUS_BYTES),
        "start_step": random.randrange(BUS_BYTES),
        "row_bytes": random.choice((1, BUS_BYTES, random.randint(1, 100))),
        "rows": random.randint(1, 9),
    }


def with_place(fields: dict[str, int]) -> dict[str, Any]:
    """Fields with bank and address as the layouts have them."""
    place = {name: fields[name] for name in ("bank", "address")}
    return {name: value for name, value in fields.items() if name not in place} | {"place": place}


@cocotb.test()
@cocotb.parametrize(pauses=[(0.0, 0.0), (0.5, 0.0), (0.0, 0.5)])
async def agrees_with_the_golden(dut: Any, pauses: tuple[float, float]) -> None:
    await start(dut, "rows__valid", "beats__ready")
    tiles = [random_tile() for _ in range(TILES)]
    layout = row_beat_layout(BUS_BYTES)
    expected = [layout.const(with_place(beat)).as_bits() for tile in tiles for beat in row_beats(tile, BUS_BYTES)]
    rows = buffer_rows_layout(BUS_BYTES)
    cocotb.start_soon(put(dut, "rows", (rows.const(with_place(tile)).as_bits() for tile in tiles), pauses[0]))
    assert await get(dut, "beats", len(expected), pauses[1]) == expected


@cocotb.test()
async def finds_a_beat_in_every_cycle(dut: Any) -> None:
    await start(dut, "rows__valid", "beats__ready")
    tiles = [random_tile() for _ in range(TILES)]
    beats = sum(len(row_beats(tile, BUS_BYTES)) for tile in tiles)
    rows = buffer_rows_layout(BUS_BYTES)
    cocotb.start_soon(put(dut, "rows", (rows.const(with_place(tile)).as_bits() for tile in tiles)))
    dut.beats__ready.value = 1
    taken = 0
    # The first tile is offered in the first of these cycles.
    for _ in range(1 + RowBeats.latency + beats):
        await RisingEdge(dut.clk)
        taken += bool(dut.beats__valid.value)
    assert taken == beats
