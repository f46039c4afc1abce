"""Bench: Drain, random instructions from modelled partial sums and a modelled adder: what is written where, and when.

Partial sums take the places that come free, one pixel after the other.
"""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from hwgen.config import ROW_BANKS
from hwgen.isa import ACT_ADDRESS_BITS, RoundingMode
from hwgen.rtl.act_buffer import ActBuffer, PlaceLayout
from hwgen.rtl.drain import DrainLayout
from hwgen.rtl.drain_writes import Write, add_writes, mac_writes
from hwgen.rtl.instruction_gate import InstructionGate
from hwgen.rtl.requantise import ParameterLayout
from sim.benches.components.setup import configuration, start
from sim.benches.streams import put

CONFIG = configuration()
LANES = CONFIG.requant_lanes
INSTRUCTIONS = 80
ANNOUNCED = 5
"""Instructions by which the array is ahead of the drain, at most."""
Accumulators = list[int]


def random_parameters() -> dict[str, int]:
    """Parameters with which a 20-bit accumulator overflows in no rounding mode."""
    multiplier = random.choice((0, random.randrange(1 << 30, 1 << 31)))
    return {"bias": random.randrange(1 << 16), "multiplier": multiplier, "shift": -random.randint(0, 16)}


PARAMETERS = [[random_parameters() for _ in range(LANES)] for _ in range(256)]


def random_accumulators(count: int) -> Accumulators:
    bits = random.randint(4, 20)
    return [random.randint(-(1 << bits), 1 << bits) for _ in range(count)]


def packed(values: list[int], bits: int) -> int:
    return sum((value & (1 << bits) - 1) << bits * index for index, value in enumerate(values))


class Instruction:
    """A random instruction with its operands and what it writes."""

    def __init__(self) -> None:
        kind = random.choice(("mac", "mac", "hold", "add"))
        low, high = sorted(random.randint(-128, 127) for _ in range(2))
        rounding = random.choice(list(RoundingMode))
        zero_point = random.randint(-128, 127)
        self.mode = {"rounding": rounding, "zero_point": zero_point, "clamp_low": low, "clamp_high": high}
        self.fields: dict[str, int] = {
            "is_add": kind == "add",
            "hold": kind == "hold",
            "row_elements": random.randint(1, 20),
            "out_address": random.randrange(1 << ACT_ADDRESS_BITS),
            "out_bank": random.randrange(ROW_BANKS),
            "out_pitch": random.randrange(1000),
            "out_step": random.randrange(1000),
            "out_width": random.randint(1, 6),
            "out_height": random.randint(1, 5),
            "groups": random.randint(1, 3),
            "group_channels": random.randint(1, CONFIG.cols),
            "last_channels": random.randint(1, CONFIG.cols),
            "parameter_address": random.randrange(200),
            "parameters_constant": random.randrange(2),
        }
        self.pixels: list[Accumulators] = []
        """Of a MAC: partial sums by pixel and column."""
        self.sums: list[Accumulators] = []
        """Of an addition: its vectors of sums."""
        self.writes: list[Write] = []
        if kind == "mac":
            self._mac()
        elif kind == "add":
            self._add()

    @property
    def payload(self) -> int:
        return int(DrainLayout.const({**self.fields, "mode": self.mode}).as_bits())

    def _mac(self) -> None:
        fields = self.fields
        pixels = fields["groups"] * fields["out_height"] * fields["out_width"]
        self.pixels = [random_accumulators(CONFIG.cols) for _ in range(pixels)]
        self.writes = mac_writes(fields | self.mode, self.pixels, PARAMETERS, LANES)

    def _add(self) -> None:
        fields, lanes = self.fields, CONFIG.eltwise_lanes
        vectors = fields["out_height"] * -(-fields["row_elements"] // lanes)
        self.sums = [random_accumulators(lanes) for _ in range(vectors)]
        self.writes = add_writes(fields | self.mode, self.sums, PARAMETERS)


class Array:
    """The partial sums, a ring, and the adder."""

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.pause = dut, pause
        self.entries: dict[int, Accumulators] = {}
        self.slot, self.undrained = 0, 0
        self.retired = 0
        """Instructions that the drain has retired."""

    async def cycle(self) -> None:
        await RisingEdge(self.dut.clk)
        self.undrained -= bool(self.dut.slot_drained.value)
        assert self.undrained >= 0

    async def run(self, instructions: list[Instruction]) -> None:
        for number, instruction in enumerate(instructions):
            while number - self.retired > ANNOUNCED:
                await self.cycle()
            for sums in instruction.pixels:
                while self.undrained == CONFIG.partial_sums or random.random() < self.pause:
                    await self.cycle()
                self.entries[self.slot] = sums
                self.slot, self.undrained = (self.slot + 1) % CONFIG.partial_sums, self.undrained + 1
                await self.pulse(self.dut.pixel_done)
            if instruction.fields["hold"]:
                await self.pulse(self.dut.hold_done)
            if instruction.sums:
                await self.add(instruction.sums)

    async def pulse(self, signal: Any) -> None:
        signal.value = 1
        await self.cycle()
        signal.value = 0

    async def add(self, vectors: list[Accumulators]) -> None:
        await self.cycle()
        while not self.dut.add_ready.value:
            await self.cycle()
        for sums in vectors:
            while random.random() < self.pause:
                await self.cycle()
            self.dut.sums_valid.value = 1
            await self.cycle()
            self.dut.sums_valid.value = 0
            self.dut.sums.value = packed(sums, 32)

    async def answer(self) -> None:
        """Partial sums in the cycle in which they are asked for, parameters one later."""
        word = 0
        while True:
            await FallingEdge(self.dut.clk)
            sums = self.entries.get(int(self.dut.drain_slot.value), [0] * CONFIG.cols)
            self.dut.drained.value = packed(sums, 32)
            entries = [ParameterLayout.const(entry).as_bits() for entry in PARAMETERS[word]]
            self.dut.parameters.value = packed(entries, ParameterLayout.size)
            word = int(self.dut.parameter_address.value) % len(PARAMETERS)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pause=[0.0, 0.7])
async def writes_every_result_into_its_place(dut: Any, pause: float) -> None:
    await start(dut, "descriptors__valid", "pixel_done", "hold_done", "sums_valid", "sums", "drained", "parameters")
    instructions = [Instruction() for _ in range(INSTRUCTIONS)]
    array = Array(dut, pause)
    cocotb.start_soon(put(dut, "descriptors", [instruction.payload for instruction in instructions], pause))
    cocotb.start_soon(array.run(instructions))
    cocotb.start_soon(array.answer())

    written: list[Write] = []
    coming = 0, PlaceLayout.const(None)
    """Strobe and place of the results of the next cycle."""
    last_writes = [0] * (ActBuffer.write_latency - InstructionGate.latency + 1)
    """Writes made by the end of each of the last cycles."""
    requantised = 0
    expected: list[Write] = []
    for instruction in instructions:
        expected += instruction.writes
        retired = False
        while not retired:
            await RisingEdge(dut.clk)
            retired = bool(dut.retire.value)
            strobe, place = coming
            coming = int(dut.write_strobe.value), PlaceLayout.from_bits(int(dut.write_place.value))
            if strobe:
                data = int(dut.write_data.value).to_bytes(LANES, "little")
                assert strobe & strobe + 1 == 0, "results lie side by side"
                written.append((place.bank, place.address, data[: strobe.bit_length()]))
            last_writes = [*last_writes[1:], len(written)]
            requantised += int(dut.requantised.value)
        array.retired += 1
        assert written[: len(expected)] == expected
        assert not instruction.writes or last_writes[0] >= len(expected), "read before the last write lands"
    assert written == expected and not dut.busy.value
    assert requantised == sum(len(data) for _, _, data in written)
