"""The bridge acts on intact requests, once, and on no others; what it answers is what its golden says."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from amaranth.sim import Simulator

from hwgen.board.bridge import Bridge
from hwgen.board.protocol import Answer, Status, encode_answer, encode_read, encode_write

SILENCE = 50


@dataclass
class Words:
    """What the bridge has access to: every address, but those above ``end`` fail."""

    end: int = 1 << 30
    values: dict[int, int] = field(default_factory=dict)
    accesses: list[tuple[int, int]] = field(default_factory=list)
    """Address and whether it was written, of each."""


def answers(messages: list[bytes], words: Words, pause: float = 0.0) -> bytes:
    """All that the bridge sends when ``messages`` come, each after the answer to the one before or a silence."""
    dut = Bridge(silence=SILENCE)
    rng = random.Random(1)
    sent = bytearray()
    quiet = 0

    async def host(ctx) -> None:
        nonlocal quiet
        for message in messages:
            for byte in message:
                ctx.set(dut.received.payload, byte)
                ctx.set(dut.received.valid, 1)
                await ctx.tick()
                ctx.set(dut.received.valid, 0)
                await ctx.tick()
                while rng.random() < 0.7:
                    await ctx.tick()
            quiet = 0
            while quiet < 4 * SILENCE:
                await ctx.tick()
                quiet += 1

    async def line(ctx) -> None:
        nonlocal quiet
        while True:
            ctx.set(dut.sent.ready, rng.random() >= pause)
            _, _, valid, ready, payload = await ctx.tick().sample(dut.sent.valid, dut.sent.ready, dut.sent.payload)
            if valid and ready:
                sent.append(payload)
                quiet = 0

    async def slave(ctx) -> None:
        nonlocal quiet
        while True:
            ctx.set(dut.accesses.ready, rng.random() >= pause)
            _, _, valid, ready, access = await ctx.tick().sample(
                dut.accesses.valid, dut.accesses.ready, dut.accesses.payload
            )
            if not (valid and ready):
                continue
            ctx.set(dut.accesses.ready, 0)
            while rng.random() < pause:
                await ctx.tick()
            quiet = 0
            words.accesses.append((access.address, access.write))
            if access.write:
                words.values[access.address] = access.data
            ctx.set(dut.result, words.values.get(access.address, 0))
            ctx.set(dut.failed, access.address >= words.end)
            ctx.set(dut.done, 1)
            await ctx.tick()
            ctx.set(dut.done, 0)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(host)
    simulator.add_testbench(line, background=True)
    simulator.add_testbench(slave, background=True)
    simulator.run()
    return bytes(sent)


@pytest.mark.parametrize(("count", "pause"), [(1, 0.0), (2, 0.6), (256, 0.0)])
def test_reads_back_what_was_written(count: int, pause: float) -> None:
    values = [random.Random(count).getrandbits(32) for _ in range(count)]
    words = Words()
    sent = answers([encode_write(0x1000, values, 3), encode_read(0x1000, count, 4)], words, pause)
    # An answer to a write brings no words, but says how many were written.
    header = 0x5C | (count - 1) << 8 | 3 << 24
    assert sent[:4] == header.to_bytes(4, "little")
    assert sent[8:] == encode_answer(Answer(4, Status.DONE, tuple(values)))
    assert words.accesses == [(0x1000 + 4 * i, write) for write in (1, 0) for i in range(count)]


def test_says_that_an_access_failed() -> None:
    words = Words(end=8, values={4: 7})
    assert answers([encode_read(4, 2, 9)], words) == encode_answer(Answer(9, Status.FAILED, (7, 0)))
    assert answers([encode_read(4, 1, 9)], words) == encode_answer(Answer(9, Status.DONE, (7,)))


@pytest.mark.parametrize("position", [0, 1, 2, 3, 6, 10, 19])
def test_a_damaged_request_has_no_effect_and_the_next_one_is_answered(position: int) -> None:
    damaged = bytearray(encode_write(0x40, [1, 2], 1))
    damaged[position] ^= 0x10
    words = Words()
    assert answers([bytes(damaged), encode_read(0x40, 1, 2)], words) == encode_answer(Answer(2, Status.DONE, (0,)))
    assert words.accesses == [(0x40, 0)]


@pytest.mark.parametrize("length", [1, 4, 6, 13, 19])
def test_a_request_that_breaks_off_has_no_effect_and_the_next_one_is_answered(length: int) -> None:
    words = Words()
    request = encode_write(0x40, [1, 2], 1)
    sent = answers([request[:length], encode_read(0x40, 1, 2)], words)
    assert sent == encode_answer(Answer(2, Status.DONE, (0,)))
    assert words.accesses == [(0x40, 0)]
