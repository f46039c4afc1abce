"""Bench: BurstSplitter, random transfers through pausing streams, against ``split_bursts``."""

from __future__ import annotations

import random
from typing import Any

import cocotb

from hwgen.rtl.axi import MAX_BURST_BEATS, BurstLayout, RequestLayout, request_end
from hwgen.rtl.burst_splitter import split_bursts
from sim.benches.components.setup import start
from sim.benches.streams import get, put

BUS_BYTES = int(str(cocotb.plusargs["bus_bytes"]))
TRANSFERS = 150


@cocotb.test()
@cocotb.parametrize(pauses=[(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)])
async def agrees_with_the_golden(dut: Any, pauses: tuple[float, float]) -> None:
    await start(dut, "requests__valid", "bursts__ready")
    payloads, expected = [], []
    for _ in range(TRANSFERS):
        start_address = BUS_BYTES * random.randrange(1 << 20)
        beats, last = random.choice((1, 64, random.randint(1, 400))), random.randrange(2)
        end = request_end(start_address, beats, BUS_BYTES)
        request = {"address": start_address, "end": end, "single": end < MAX_BURST_BEATS, "last": last}
        payloads.append(RequestLayout.const(request).as_bits())
        bursts = split_bursts(start_address, beats, BUS_BYTES)
        for address, burst_beats in bursts:
            burst = {"address": address, "length": burst_beats - 1, "last": last and address == bursts[-1][0]}
            expected.append(BurstLayout.const(burst).as_bits())
    cocotb.start_soon(put(dut, "requests", payloads, pauses[0]))
    assert await get(dut, "bursts", len(expected), pauses[1]) == expected
