"""Bench: BurstSplitter, random transfers through pausing streams, against ``split_bursts``."""

from __future__ import annotations

import random
from typing import Any

import cocotb

from hwgen.rtl.axi import BurstLayout, RequestLayout
from hwgen.rtl.burst_splitter import split_bursts
from sim.benches.components.setup import start
from sim.benches.streams import get, put

BUS_BYTES = int(str(cocotb.plusargs["bus_bytes"]))
TRANSFERS = 150


@cocotb.test()
@cocotb.parametrize(pauses=[(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)])
async def agrees_with_the_golden(dut: Any, pauses: tuple[float, float]) -> None:
    await start(dut, "requests__valid", "bursts__ready")
    requests = [
        {
            "address": BUS_BYTES * random.randrange(1 << 20),
            "beats": random.choice((1, 64, random.randint(1, 400))),
            "last": random.randrange(2),
        }
        for _ in range(TRANSFERS)
    ]
    expected = []
    for request in requests:
        bursts = split_bursts(request["address"], request["beats"], BUS_BYTES)
        for address, beats in bursts:
            last = request["last"] and address == bursts[-1][0]
            expected.append(BurstLayout.const({"address": address, "length": beats - 1, "last": last}).as_bits())
    payloads = (RequestLayout.const(request).as_bits() for request in requests)
    cocotb.start_soon(put(dut, "requests", payloads, pauses[0]))
    assert await get(dut, "bursts", len(expected), pauses[1]) == expected
