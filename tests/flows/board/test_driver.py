"""What a board may answer, and what the host makes of it; the board is a memory of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace

import numpy as np
import pytest

from flows.board.driver import run_program
from flows.board.link import BoardLinkError
from hwgen import reference
from hwgen.board.config import BoardConfig
from hwgen.board.protocol import WORD_BYTES, Space
from hwgen.compiler import compile_graph
from hwgen.placement import PlacementError, place
from hwgen.registers import BUS_ERROR, COUNTER_BASE, DONE, IDENTITY, OFFSETS
from tests.hwgen.random_graphs import random_input, random_layer_graph
from tests.sim.accelerators import ACCELERATORS

CONFIG = BoardConfig(ACCELERATORS["narrow"])
RNG = np.random.default_rng(5)
GRAPH = random_layer_graph(RNG, max_elements=1024)
INPUTS = random_input(RNG, GRAPH, images=2)
OUTPUTS = reference.run(GRAPH, INPUTS)
PROGRAM = compile_graph(GRAPH, CONFIG.accelerator)
CYCLES = 1000


class WordBoard:
    """In the place of a link: a board that leaves the right outputs, and says of a run what ``status`` says."""

    def __init__(self, config: BoardConfig = CONFIG, status: int = DONE, cycles: int = CYCLES) -> None:
        self.words: dict[int, int] = {}
        self.status, self.cycles = status, cycles
        self.outputs = iter(OUTPUTS)
        self.store(Space.DESCRIPTION.base, astuple(config.description))
        self.store(Space.REGISTERS.base + OFFSETS["IDENTITY"], [IDENTITY])

    def store(self, address: int, words: Sequence[int]) -> None:
        self.words.update({address + WORD_BYTES * index: word for index, word in enumerate(words)})

    def read(self, address: int, count: int) -> list[int]:
        return [self.words.get(address + WORD_BYTES * index, 0) for index in range(count)]

    def write(self, address: int, words: Sequence[int]) -> None:
        self.store(address, words)
        if address == Space.REGISTERS.base + OFFSETS["CONTROL"]:
            self.store(Space.REGISTERS.base + OFFSETS["STATUS"], [self.status])
            self.store(Space.REGISTERS.base + COUNTER_BASE, [self.cycles, 1])
            output = next(self.outputs).tobytes()
            words = np.frombuffer(output + bytes(-len(output) % WORD_BYTES), "<u4").tolist()
            self.store(place(PROGRAM, CONFIG.memory_bytes).output, words)


def test_reads_outputs_and_counters_of_every_sample() -> None:
    execution = run_program(WordBoard(), PROGRAM, INPUTS)
    np.testing.assert_array_equal(execution.outputs, OUTPUTS)
    assert [counters["cycles"] for counters in execution.sample_counters] == [CYCLES | 1 << 32] * 2
    assert execution.clock_hz == CONFIG.clock_hz


def test_loads_the_whole_program() -> None:
    board = WordBoard()
    run_program(board, PROGRAM, INPUTS)
    image = board.read(place(PROGRAM, CONFIG.memory_bytes).image, len(PROGRAM.image) // WORD_BYTES)
    assert np.array(image, "<u4").tobytes() == PROGRAM.image


@pytest.mark.parametrize(
    ("board", "message"),
    [
        (WordBoard(status=DONE | BUS_ERROR), "met a bus error"),
        (WordBoard(status=0), r"hang: the accelerator is not done after \d+ cycles"),
        (WordBoard(BoardConfig(ACCELERATORS["uneven"])), "carries another accelerator"),
    ],
)
def test_a_run_that_goes_wrong_ends_with_a_sentence(board: WordBoard, message: str) -> None:
    with pytest.raises(BoardLinkError, match=message):
        run_program(board, PROGRAM, INPUTS)


@pytest.mark.parametrize("address", [Space.DESCRIPTION.base, Space.REGISTERS.base + OFFSETS["IDENTITY"]])
def test_what_is_no_board_of_ours_is_refused(address: int) -> None:
    board = WordBoard()
    board.store(address, [0x12345678])
    with pytest.raises(BoardLinkError, match="as 0x12345678"):
        run_program(board, PROGRAM, INPUTS)


def test_a_program_too_large_for_the_board_is_refused() -> None:
    large = replace(PROGRAM, scratch_bytes=CONFIG.memory_bytes)
    with pytest.raises(PlacementError, match=rf"needs \d+ bytes of memory; accepted: at most {CONFIG.memory_bytes}"):
        run_program(WordBoard(), large, INPUTS)
