"""A board to Verilog."""

from __future__ import annotations

from hwgen.board.board import Board
from hwgen.board.config import BOARD_MODULE, BoardConfig
from hwgen.verilog import component_verilog


def emit_board(config: BoardConfig) -> str:
    """The Verilog of a board's logic, the top named ``cosynth_board``."""
    return component_verilog(Board(config), BOARD_MODULE)
