"""Bench: LoadEngine, random instructions from a memory that pauses: what bytes end up where, and when it retires."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from hwgen.isa import ACT_ADDRESS_BITS, PARAMETER_BYTES, Opcode, Region, encode
from hwgen.rtl.act_buffer import load_layout, row_places
from hwgen.rtl.instruction_gate import ReleasedTransferLayout
from hwgen.rtl.load_engine import LoadEngine
from sim.benches.components.setup import configuration, start
from sim.benches.streams import answer, put

CONFIG = configuration()
BUS_BYTES = CONFIG.bus_bytes
WORD_BYTES = {Opcode.LOAD_WEIGHT: CONFIG.multipliers, Opcode.LOAD_PARAM: PARAMETER_BYTES * CONFIG.requant_lanes}
INSTRUCTIONS = 80
BASES = [0x1000 * region + 64 * region for region in Region]
MEMORY = random.randbytes(1 << 15)
Write = tuple[object, ...]
"""(bank, address, byte) of the activation buffer, or (opcode, address, word) of the buffer that the opcode loads."""


def random_load() -> tuple[int, list[Write]]:
    """An instruction and what it writes, in order."""
    region = random.choice(list(Region))
    opcode = random.choice((Opcode.LOAD_ACT, Opcode.LOAD_ACT, *WORD_BYTES))
    if opcode is Opcode.LOAD_ACT:
        bank, banked = random.randrange(4), random.randrange(2)
        offset, dram_pitch = random.randrange(1000), random.randrange(1000)
        address, pitch = random.randrange(1000), random.randrange(1000)
        rows, row_bytes = random.randint(1, 9), random.choice((1, BUS_BYTES, random.randint(1, 70)))
        fields = {"dram_offset": offset, "dram_pitch": dram_pitch, "act_address": address, "act_pitch": pitch}
        fields |= {"bank": bank, "banked": banked, "rows": rows, "row_bytes": row_bytes}
        places = row_places(bank, address, pitch, rows, bool(banked))
        writes: list[Write] = [
            (bank, address + byte, MEMORY[BASES[region] + offset + row * dram_pitch + byte])
            for row, (bank, address) in enumerate(places)
            for byte in range(row_bytes)
        ]
    else:
        beats = -(-WORD_BYTES[opcode] // BUS_BYTES)
        offset, address, words = random.randrange(0, 1024, BUS_BYTES), random.randrange(1000), random.randint(1, 9)
        fields = {"dram_offset": offset, "word_address": address, "words": words, "beats": words * beats}
        writes = []
        for word in range(words):
            first = BASES[region] + offset + word * beats * BUS_BYTES
            writes.append((opcode, address + word, MEMORY[first : first + WORD_BYTES[opcode]]))
    released = {
        "instruction": int.from_bytes(encode(opcode, region=region, **fields), "little"),
        "address": BASES[region] + offset,
    }
    return ReleasedTransferLayout.const(released).as_bits(), writes


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pause=[0.0, 0.5])
async def loads_every_byte_into_its_place(dut: Any, pause: float) -> None:
    await start(dut, "instructions__valid", "act__ready", "beats__valid", "requests__ready")
    loads = [random_load() for _ in range(INSTRUCTIONS)]
    cocotb.start_soon(put(dut, "instructions", [released for released, _ in loads], pause))
    cocotb.start_soon(answer(dut, MEMORY, BUS_BYTES, pause, LoadEngine.data_latency))

    written: list[Write] = []
    expected: list[Write] = []
    for _, writes in loads:
        expected += writes
        retired = False
        while not retired:
            dut.act__ready.value = random.random() >= pause
            await RisingEdge(dut.clk)
            # A word is written in the cycle after its last beat, which may be that of the next instruction's first.
            for opcode, pulse in ((Opcode.LOAD_WEIGHT, dut.weight_write), (Opcode.LOAD_PARAM, dut.parameter_write)):
                if pulse.value:
                    word = int(dut.word.value).to_bytes(len(dut.word) // 8, "little")
                    written.append((opcode, int(dut.word_address.value), word[: WORD_BYTES[opcode]]))
            if dut.act__valid.value and dut.act__ready.value:
                written += activation_writes(int(dut.act__payload.value))
            retired = bool(dut.retire.value)
        assert written[: len(expected)] == expected
    await RisingEdge(dut.clk)
    assert written == expected and not dut.busy.value


def activation_writes(payload: int) -> list[Write]:
    """The bytes of a beat that are written."""
    beat = load_layout(BUS_BYTES).from_bits(payload)
    return [
        (beat.place.bank, (beat.place.address + lane) % (1 << ACT_ADDRESS_BITS), beat.data >> 8 * lane & 0xFF)
        for lane in range(BUS_BYTES)
        if beat.strobe >> lane & 1
    ]
