"""Drive and observe ``valid``/``ready`` streams, as Amaranth components name them: ``name__payload`` and so on.

A payload is one unsigned integer; ``amaranth.lib.data`` layouts convert (``layout.const({...}).as_bits()``).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from cocotb.triggers import RisingEdge


async def put(dut: Any, stream: str, payloads: Iterable[int], pause: float = 0.0) -> None:
    """Send payloads into an input stream, pausing before a transfer with probability ``pause`` in each cycle."""
    valid, ready, data = (getattr(dut, f"{stream}__{signal}") for signal in ("valid", "ready", "payload"))
    for payload in payloads:
        while random.random() < pause:
            await RisingEdge(dut.clk)
        valid.value = 1
        data.value = payload
        await RisingEdge(dut.clk)
        while not ready.value:
            await RisingEdge(dut.clk)
        valid.value = 0


async def get(dut: Any, stream: str, count: int, pause: float = 0.0) -> list[int]:
    """Receive ``count`` payloads from an output stream, pausing with probability ``pause`` in each cycle.

    Fails when the component withdraws or changes what it offered before it was taken.
    """
    valid, ready, data = (getattr(dut, f"{stream}__{signal}") for signal in ("valid", "ready", "payload"))
    payloads: list[int] = []
    offered: int | None = None
    while len(payloads) < count:
        ready.value = int(random.random() >= pause)
        await RisingEdge(dut.clk)
        payload = int(data.value) if valid.value else None
        assert offered is None or payload == offered, f"{stream} offered {offered}, then {payload}, before it was taken"
        offered = payload
        if payload is not None and ready.value:
            payloads.append(payload)
            offered = None
    ready.value = 0
    return payloads
