"""Bench: WritePort, random bursts to a memory that pauses and answers late: data, WLAST, and what is acknowledged."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from hwgen.rtl.axi import BurstLayout, write_data_layout
from hwgen.rtl.write_port import MAX_OUTSTANDING
from sim.benches.components.setup import start
from sim.benches.streams import put

BUS_BITS = int(str(cocotb.plusargs["bus_bits"]))
BURSTS = 100
SLAVE_ERROR = 2


class Memory:
    """Records addresses and data; ``step`` is called once per cycle."""

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.pause = dut, pause
        self.addresses: list[tuple[int, int]] = []
        self.bursts: list[list[tuple[int, int]]] = [[]]
        """Data and strobes of each burst as WLAST divides them; the last is incomplete."""
        self.answered = 0
        self.refused: dict[str, tuple[int, ...] | None] = {"aw": None, "w": None}

    def transfer(self, channel: str, *fields: str) -> tuple[int, ...] | None:
        """What is transferred on a channel in this cycle; what is refused must be offered again unchanged."""
        dut = self.dut
        values = tuple(int(getattr(dut, field).value) for field in fields)
        offered = values if getattr(dut, f"{channel}valid").value else None
        assert self.refused[channel] in (None, offered), f"{channel} changed before it was accepted"
        accepts = getattr(dut, f"{channel}ready").value
        self.refused[channel] = None if accepts else offered
        return offered if accepts else None

    def step(self) -> None:
        dut = self.dut
        if address := self.transfer("aw", "awaddr", "awlen"):
            self.addresses.append((address[0], address[1] + 1))
        beat = self.transfer("w", "wdata", "wstrb", "wlast")
        assert dut.transferred.value == (beat is not None)
        if beat is not None:
            self.bursts[-1].append((beat[0], beat[1]))
            if beat[2]:
                self.bursts.append([])
        answers = bool(dut.bvalid.value and dut.bready.value)
        assert dut.error.value == (answers and dut.bresp.value == SLAVE_ERROR)
        self.answered += answers
        if answers or not dut.bvalid.value:
            due = min(len(self.addresses), len(self.bursts) - 1) - self.answered
            dut.bvalid.value = due > 0 and random.random() >= self.pause
            dut.bresp.value = random.choice((0, 0, SLAVE_ERROR))
        for channel in ("aw", "w"):
            getattr(dut, f"{channel}ready").value = random.random() >= self.pause


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pause=[0.0, 0.5], memory_pause=[0.0, 0.5, 0.9])
async def sends_every_burst_and_knows_which_is_answered(dut: Any, pause: float, memory_pause: float) -> None:
    await start(dut, "bursts__valid", "beats__valid", "awready", "wready", "bvalid")
    addresses = [(random.getrandbits(32), random.choice((1, random.randint(1, 9)))) for _ in range(BURSTS)]
    bursts = [
        [(random.getrandbits(BUS_BITS), random.getrandbits(BUS_BITS // 8)) for _ in range(beats)]
        for _, beats in addresses
    ]
    lasts = [random.randrange(2) for _ in range(BURSTS)]
    headers = (
        BurstLayout.const({"address": address, "length": beats - 1, "last": last}).as_bits()
        for (address, beats), last in zip(addresses, lasts, strict=True)
    )
    layout = write_data_layout(BUS_BITS)
    payloads = (layout.const({"data": data, "strobe": strobe}).as_bits() for burst in bursts for data, strobe in burst)
    cocotb.start_soon(put(dut, "bursts", headers, pause))
    cocotb.start_soon(put(dut, "beats", payloads, pause))

    memory = Memory(dut, memory_pause)
    accepted = 0
    while memory.answered < BURSTS:
        await RisingEdge(dut.clk)
        assert accepted - memory.answered <= MAX_OUTSTANDING
        answers = bool(dut.bvalid.value and dut.bready.value)
        assert dut.acknowledged.value == (answers and lasts[memory.answered])
        accepted += bool(dut.bursts__valid.value and dut.bursts__ready.value)
        memory.step()
    assert memory.addresses == addresses
    assert memory.bursts == [*bursts, []]
