"""Bench: RowRequests, random tiles through pausing streams, against ``row_requests``."""

from __future__ import annotations

import random
from typing import Any

import cocotb

from hwgen.rtl.axi import MAX_BURST_BEATS, RequestLayout, request_end
from hwgen.rtl.row_requests import memory_rows_layout, row_requests
from sim.benches.components.setup import start
from sim.benches.streams import get, put

BUS_BYTES = int(str(cocotb.plusargs["bus_bytes"]))
WINDOW_BYTES = MAX_BURST_BEATS * BUS_BYTES
TILES = 100


@cocotb.test()
@cocotb.parametrize(pauses=[(0.0, 0.0), (0.5, 0.0), (0.0, 0.5)])
async def agrees_with_the_golden(dut: Any, pauses: tuple[float, float]) -> None:
    await start(dut, "rows__valid", "requests__ready")
    tiles = [
        {
            "address": random.randrange(1 << 20),
            "pitch": random.choice((0, random.randrange(1 << 12))),
            "row_bytes": random.choice(
                (
                    1,
                    BUS_BYTES,
                    random.randint(1, 1000),
                    random.randint(1, 3) * WINDOW_BYTES + random.randint(-1, 1),
                    random.randint(1, 5 * WINDOW_BYTES),
                )
            ),
            "rows": random.randint(1, 9),
        }
        for _ in range(TILES)
    ]
    expected = []
    for tile in tiles:
        requests = row_requests(**tile, bus_bytes=BUS_BYTES)
        for index, (address, beats) in enumerate(requests):
            last = index == len(requests) - 1
            end = request_end(address, beats, BUS_BYTES)
            request = {"address": address, "end": end, "single": end < MAX_BURST_BEATS, "last": last}
            expected.append(RequestLayout.const(request).as_bits())
    layout = memory_rows_layout(BUS_BYTES)
    cocotb.start_soon(put(dut, "rows", (layout.const(tile).as_bits() for tile in tiles), pauses[0]))
    assert await get(dut, "requests", len(expected), pauses[1]) == expected
