"""The serial line's two ends understand each other, and clocks that differ a little."""

from __future__ import annotations

import pytest
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.board.uart_receiver import UartReceiver
from hwgen.board.uart_transmitter import UartTransmitter


def levels(message: bytes, cycles_per_bit: float, pause: int = 0) -> list[int]:
    """What a sender of 8N1 puts on the line in each cycle of the receiver, after 10 bits of silence."""
    bits = [1] * 10
    for byte in message:
        bits += [0, *(byte >> position & 1 for position in range(8)), 1, *([1] * pause)]
    bits += [1] * 2
    return [bits[int(cycle / cycles_per_bit)] for cycle in range(int(len(bits) * cycles_per_bit))]


def received(line: list[int], divisor: int) -> bytes:
    """What the receiver makes of a line."""
    dut = UartReceiver(divisor)
    message = []

    async def testbench(ctx) -> None:
        for level in [*line, *[1] * 4]:
            ctx.set(dut.line, level)
            await ctx.tick()
            if ctx.get(dut.bytes.valid):
                message.append(ctx.get(dut.bytes.payload))

    run(dut, testbench)
    return bytes(message)


def run(dut, testbench) -> None:
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@settings(max_examples=10)
@given(message=st.binary(max_size=6), divisor=st.sampled_from((2, 4, 5, 25)), pause=st.integers(0, 2))
def test_receives_what_was_sent(message: bytes, divisor: int, pause: int) -> None:
    assert received(levels(message, divisor, pause), divisor) == message


@pytest.mark.parametrize("ratio", [0.97, 1.03])
def test_receives_from_a_clock_three_percent_off(ratio: float) -> None:
    message = bytes([0x00, 0xFF, 0x55, 0xAA, 0x01, 0x80])
    assert received(levels(message, 25 * ratio), 25) == message


def test_drops_a_glitch_and_a_byte_without_stop_bit() -> None:
    glitch = [1] * 100 + [0] * 5 + [1] * 300
    broken = [0] * (10 * 25) + [1] * 300
    assert received(glitch + broken + levels(b"A", 25), 25) == b"A"


@settings(max_examples=10)
@given(message=st.binary(min_size=1, max_size=6), divisor=st.sampled_from((2, 5, 25)))
def test_sends_without_gaps(message: bytes, divisor: int) -> None:
    dut = UartTransmitter(divisor)
    line = []

    async def testbench(ctx) -> None:
        left = list(message)
        while left or not ctx.get(dut.bytes.ready):
            ctx.set(dut.bytes.valid, bool(left))
            ctx.set(dut.bytes.payload, left[0] if left else 0)
            if left and ctx.get(dut.bytes.ready):
                left.pop(0)
            await ctx.tick()
            line.append(ctx.get(dut.line))

    run(dut, testbench)
    assert received([1] * 10 + line, divisor) == message
    assert len(line) <= (10 * divisor + 1) * len(message) + 1
