"""Drive and observe ``valid``/``ready`` streams, as Amaranth components name them: ``name__payload`` and so on.

A payload is one unsigned integer; ``amaranth.lib.data`` layouts convert (``layout.const({...}).as_bits()``).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from typing import Any

from cocotb.triggers import RisingEdge

from hwgen.rtl.axi import RequestLayout, request_beats


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


async def answer(
    dut: Any, memory: bytes | bytearray, bus_bytes: int, pause: float = 0.0, latency_cycles: int = 1
) -> None:
    """Answer ``requests`` (transfers of ``memory``) with their ``beats``, pausing both with probability ``pause``.

    No beat comes earlier than ``latency_cycles`` after its request.
    """
    due: deque[tuple[int, int]] = deque()
    """From when on each beat may come."""
    cycle = 0
    dut.requests__ready.value = 0
    dut.beats__valid.value = 0
    while True:
        await RisingEdge(dut.clk)
        cycle += 1
        if dut.requests__valid.value and dut.requests__ready.value:
            request = RequestLayout.from_bits(int(dut.requests__payload.value))
            beats = request_beats(request.address, request.end, bus_bytes)
            for address in range(request.address, request.address + beats * bus_bytes, bus_bytes):
                assert address % bus_bytes == 0 and address + bus_bytes <= len(memory)
                beat = int.from_bytes(memory[address : address + bus_bytes], "little")
                due.append((cycle + latency_cycles - 1, beat))
        taken = dut.beats__valid.value and dut.beats__ready.value
        if taken:
            due.popleft()
        if taken or not dut.beats__valid.value:
            offers = bool(due) and due[0][0] <= cycle and random.random() >= pause
            dut.beats__valid.value = offers
            dut.beats__payload.value = due[0][1] if offers else 0
        dut.requests__ready.value = random.random() >= pause
