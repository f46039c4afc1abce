"""Bench: ReadPort, two clients and a memory that pause at random: each client gets its own data, in its own order."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from hwgen.rtl.axi import BurstLayout
from hwgen.rtl.read_port import MAX_OUTSTANDING
from sim.benches.components.setup import start
from sim.benches.streams import get, put

BURSTS = 60
SLAVE_ERROR = 2


def beat(address: int, index: int) -> int:
    """What the memory holds: every beat of every burst differs."""
    return address << 8 | index


class Memory:
    """Answers bursts in order, one beat after the other; ``step`` is called once per cycle."""

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.pause = dut, pause
        self.bursts = 0
        self.due: deque[tuple[int, int, int]] = deque()
        """Data, RLAST and RRESP of the beats to come."""
        self.refused: tuple[int, int] | None = None

    def step(self) -> None:
        dut = self.dut
        offered = (int(dut.araddr.value), int(dut.arlen.value)) if dut.arvalid.value else None
        assert self.refused in (None, offered), "AR changed before it was accepted"
        self.refused = offered if not dut.arready.value else None
        if offered is not None and dut.arready.value:
            address, length = offered
            error = SLAVE_ERROR * (random.random() < 0.1)
            self.due += [(beat(address, index), int(index == length), error) for index in range(length + 1)]
            self.bursts += 1
        taken = dut.rvalid.value and dut.rready.value
        assert dut.transferred.value == taken
        if taken:
            _, _, error = self.due.popleft()
            assert dut.error.value == (error != 0)
        if taken or not dut.rvalid.value:
            dut.rvalid.value = offers = bool(self.due) and random.random() >= self.pause
            data, last, response = self.due[0] if offers else (0, 0, SLAVE_ERROR)
            dut.rdata.value, dut.rlast.value, dut.rresp.value = data, last, response
        dut.arready.value = random.random() >= self.pause


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(client_pauses=[(0.0, 0.0), (0.6, 0.6), (0.9, 0.1)], memory_pause=[0.0, 0.5])
async def each_client_gets_its_own_data(dut: Any, client_pauses: tuple[float, float], memory_pause: float) -> None:
    clients = range(2)
    inputs = [f"bursts__{client}__valid" for client in clients] + [f"beats__{client}__ready" for client in clients]
    await start(dut, *inputs, "arready", "rvalid")
    receivers, expected = [], []
    for client, pause in zip(clients, client_pauses, strict=True):
        bursts = [(2 * random.randrange(1000) + client, random.choice((0, random.randrange(9)))) for _ in range(BURSTS)]
        payloads = (BurstLayout.const({"address": address, "length": length}).as_bits() for address, length in bursts)
        cocotb.start_soon(put(dut, f"bursts__{client}", payloads, pause))
        beats = [beat(address, index) for address, length in bursts for index in range(length + 1)]
        receivers.append(cocotb.start_soon(get(dut, f"beats__{client}", len(beats), pause)))
        expected.append(beats)

    memory = Memory(dut, memory_pause)
    accepted, answered = 0, 0
    while not all(receiver.done() for receiver in receivers):
        await RisingEdge(dut.clk)
        first, second = (bool(getattr(dut, f"bursts__{client}__valid").value) for client in clients)
        first_goes, second_goes = (
            valid and bool(getattr(dut, f"bursts__{client}__ready").value)
            for client, valid in enumerate((first, second))
        )
        assert not (second_goes and first), "the second client goes before the first"
        assert accepted - answered <= MAX_OUTSTANDING
        accepted += first_goes + second_goes
        answered += bool(dut.rvalid.value and dut.rready.value and dut.rlast.value)
        memory.step()
    assert [receiver.result() for receiver in receivers] == expected
    assert memory.bursts == len(clients) * BURSTS
