"""Bench: StoreEngine, random instructions with pauses everywhere: what bytes reach memory, and when it retires."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from hwgen.isa import Opcode, Region, encode
from hwgen.rtl.act_buffer import row_places, store_layout
from hwgen.rtl.axi import RequestLayout, request_beats, write_data_layout
from hwgen.rtl.instruction_gate import ReleasedTransferLayout
from sim.benches.components.setup import configuration, start
from sim.benches.streams import put

CONFIG = configuration()
BUS_BYTES = CONFIG.bus_bytes
BANKS = [random.randbytes(1 << 12) for _ in range(4)]
INSTRUCTIONS = 80
BASES = [0x1000 * region + 64 * region for region in Region]
Write = tuple[int, int]
"""Address and byte."""


def random_store() -> tuple[int, list[Write]]:
    """An instruction and what it writes, in order."""
    region, bank, banked = random.choice(list(Region)), random.randrange(4), random.randrange(2)
    offset, dram_pitch = random.randrange(1000), random.randrange(1000)
    address, pitch = random.randrange(1000), random.randrange(300)
    rows, row_bytes = random.randint(1, 9), random.choice((1, BUS_BYTES, random.randint(1, 70)))
    fields = {"dram_offset": offset, "dram_pitch": dram_pitch, "act_address": address, "act_pitch": pitch}
    fields |= {"region": region, "bank": bank, "banked": banked, "rows": rows, "row_bytes": row_bytes}
    writes = [
        (BASES[region] + offset + row * dram_pitch + byte, BANKS[bank][address + byte])
        for row, (bank, address) in enumerate(row_places(bank, address, pitch, rows, bool(banked)))
        for byte in range(row_bytes)
    ]
    released = {
        "instruction": int.from_bytes(encode(Opcode.STORE, **fields), "little"),
        "address": BASES[region] + offset,
    }
    return ReleasedTransferLayout.const(released).as_bits(), writes


class Surroundings:
    """The activation buffer, the write port and the memory; ``step`` is called once per cycle, before its edge."""

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.pause = dut, pause
        self.reads: deque[int] = deque()
        """Places whose beats are due."""
        self.requests: deque[tuple[int, bool]] = deque()
        """Address of each beat requested and not taken, and whether it is an instruction's last."""
        self.written: list[Write] = []
        self.unacknowledged = 0
        """Instructions whose beats are all taken."""

    def step(self) -> None:
        dut = self.dut
        # Data are there for one cycle only.
        due = bool(self.reads) and random.random() >= self.pause
        dut.stored_valid.value = due
        dut.stored.value = buffer_beat(self.reads.popleft()) if due else random.getrandbits(8 * BUS_BYTES)
        if dut.places__valid.value and dut.places__ready.value:
            self.reads.append(int(dut.places__payload.value))
        acknowledges = self.unacknowledged > 0 and random.random() < 0.2
        self.unacknowledged -= acknowledges
        dut.acknowledged.value = acknowledges
        if dut.requests__valid.value and dut.requests__ready.value:
            request = RequestLayout.from_bits(int(dut.requests__payload.value))
            end = request.address + request_beats(request.address, request.end, BUS_BYTES) * BUS_BYTES
            addresses = range(request.address, end, BUS_BYTES)
            self.requests += [(address, request.last and address == addresses[-1]) for address in addresses]
        if dut.beats__valid.value and dut.beats__ready.value:
            beat = write_data_layout(8 * BUS_BYTES).from_bits(int(dut.beats__payload.value))
            first, last = self.requests.popleft()
            self.unacknowledged += last
            for lane in range(BUS_BYTES):
                if beat.strobe >> lane & 1:
                    self.written.append((first + lane, beat.data >> 8 * lane & 0xFF))
        for stream in ("places", "requests"):
            getattr(dut, f"{stream}__ready").value = random.random() >= self.pause
        dut.beats__ready.value = bool(self.requests) and random.random() >= self.pause


def buffer_beat(payload: int) -> int:
    """The beat at a place of the activation buffer; it may begin before the buffer's first byte."""
    place = store_layout(BUS_BYTES).from_bits(payload).place
    addresses = (address % len(BANKS[0]) for address in range(place.address, place.address + BUS_BYTES))
    return int.from_bytes(bytes(BANKS[place.bank][address] for address in addresses), "little")


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pause=[0.0, 0.5])
async def stores_every_byte_and_retires_when_all_are_acknowledged(dut: Any, pause: float) -> None:
    inputs = ("instructions__valid", "places__ready", "requests__ready", "beats__ready", "stored_valid", "acknowledged")
    await start(dut, *inputs)
    stores = [random_store() for _ in range(INSTRUCTIONS)]
    cocotb.start_soon(put(dut, "instructions", [released for released, _ in stores], pause))
    surroundings = Surroundings(dut, pause)
    acknowledged = retired = 0
    while retired < INSTRUCTIONS:
        await RisingEdge(dut.clk)
        retired += bool(dut.retire.value)
        assert retired <= acknowledged
        acknowledged += bool(dut.acknowledged.value)
        surroundings.step()
    assert surroundings.written == [write for _, writes in stores for write in writes]
    await RisingEdge(dut.clk)
    assert not dut.busy.value
