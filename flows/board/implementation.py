"""``cosynth implement --board``: an accelerator with memory and bridge as the bitstream of a board."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.console import Console

from flows.board.ulx3s import CLOCK_HZ, DEVICE, INSTANCE, MODULE, NAME, ulx3s_pins, ulx3s_verilog
from flows.files import refuse_occupied
from flows.implement.ecp5.devices import find_device
from flows.implement.ecp5.job import implementation_values, write_implementation
from flows.implement.ecp5.lut_products import lut_products
from flows.implement.ecp5.place_and_route import place_and_route
from flows.implement.ecp5.synthesis import map_to_cells
from flows.implement.netlist import Netlist
from flows.progress import shown_on
from flows.tools import ImplementationError, Watch
from hwgen.board.config import BoardConfig
from hwgen.board.verilog import emit_board
from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError

BOUNDARY = f"The whole {NAME}, at its own pins: memory is on the chip, and a serial line leads to the host."


def board_config(board: str, accelerator: AcceleratorConfig, memory_kib: int) -> BoardConfig:
    """The configuration of the board of that name. Raises InputError where there is none."""
    if board != NAME:
        raise InputError(f"board: {board!r} is not supported; accepted: {NAME}")
    return BoardConfig(accelerator, memory_kib, clock_hz=CLOCK_HZ)


def synthesise_board(config: BoardConfig, multipliers: int, watch: Watch) -> Netlist:
    """Map the board to LUTs, flip-flops, at most ``multipliers`` multipliers, and memories.

    Raises InputError where the multipliers are too few, ImplementationError where Yosys fails.
    """
    in_luts = lut_products(config.accelerator, multipliers)
    started = time.monotonic()
    verilog = emit_board(config)
    design = map_to_cells({"board.v": verilog, "ulx3s.v": ulx3s_verilog()}, MODULE, in_luts, watch)
    return Netlist(verilog, design, f"{INSTANCE}.accelerator.", time.monotonic() - started)


def run_board_implementation(
    output: Path, config: BoardConfig, multipliers: int, speed_grade: int, seed: int, placements: int, console: Console
) -> dict[str, Any]:
    """Implement the board and write Verilog, bitstream and report into ``output``; returns the report.

    Products of the array beyond ``multipliers`` are LUTs.

    Raises InputError where ``output`` is occupied or the board's device is too small, ImplementationError where a tool
    fails or the board's clock is not reached.
    """
    refuse_occupied(output)
    pins, device = ulx3s_pins(), find_device(DEVICE)
    with console.status("synthesis") as status:
        watch = shown_on(status)
        netlist = synthesise_board(config, multipliers, watch)
        console.print(f"synthesised in {netlist.synth_seconds:.0f} s", highlight=False)
        implementation = place_and_route(netlist, device, speed_grade, seed, watch, pins, placements)
    clock_mhz = config.clock_hz / 1e6
    if implementation.fmax_mhz < clock_mhz:
        raise ImplementationError(
            f"the accelerator reaches {implementation.fmax_mhz:.1f} MHz on {NAME}, whose clock has {clock_mhz:g} MHz"
        )
    report = implementation_values(config.accelerator, device, multipliers, speed_grade, netlist, implementation) | {
        "boundary": BOUNDARY,
        "board": NAME,
        "clock_mhz": clock_mhz,
        "memory_kib": config.memory_kib,
    }
    write_implementation(output, netlist, implementation, report)
    return report
