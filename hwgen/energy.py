"""Energy of a run: action counts read from the accelerator's counters times a named table of energies per action.

The result is an estimate of the *dynamic* energy of data movement and arithmetic in the table's process. Leakage, clock
tree, control and input/output pads are in neither table, and an FPGA spends several times more on the same actions;
use it to compare pairs, not to size a power supply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwgen.config import AcceleratorConfig

WORD_BYTES = 8
"""Memory and buffer energies are per 64-bit word, the width that the tables were characterised at."""


@dataclass(frozen=True)
class EnergyTable:
    """Picojoules per action; an action that the table's source does not list costs 0 and is thus left out."""

    name: str
    source: str
    dram_word: float
    """64-bit word read from or written to external memory."""
    buffer_word: float
    """64-bit word read from or written to an on-chip buffer."""
    weight_operand: float
    """One access to a weight in a processing element's register file; pipeline registers belong to the MAC."""
    input_operand: float
    """One access to an activation in an array row's register file."""
    partial_sum: float
    """One access to a column's partial sum; an update reads and writes."""
    mac: float
    """8-bit multiplication and its accumulation."""
    requantise: float
    """Scaling of one accumulator by a 32-bit multiplier."""


EYERISS_65NM = EnergyTable(
    name="eyeriss_65nm",
    source="65 nm, Eyeriss-like hierarchy (LPDDR4 at 8 pJ/bit; requantisation not listed)",
    dram_word=512.0,
    buffer_word=18.18,
    weight_operand=1.98,
    input_operand=0.20,
    partial_sum=0.25,
    mac=0.208,
    requantise=0.0,
)

HOROWITZ_45NM = EnergyTable(
    name="horowitz_45nm",
    source="45 nm, 0.9 V: Horowitz, ISSCC 2014 (32 KiB SRAM; DRAM at its lower figure; registers not listed)",
    dram_word=1300.0,
    buffer_word=20.0,
    weight_operand=0.0,
    input_operand=0.0,
    partial_sum=0.0,
    mac=0.2 + 0.1,
    requantise=3.1,
)

ENERGY_TABLES = (EYERISS_65NM, HOROWITZ_45NM)


def energy_uj(counters: Mapping[str, int], config: AcceleratorConfig, table: EnergyTable) -> float:
    """Estimated dynamic energy of one run in microjoules, from ``counters`` (see ``hwgen.registers.COUNTERS``)."""
    units, picojoules = action_units(config), unit_picojoules(table)
    return 1e-6 * sum(counters[action] * units[action] * each for action, each in picojoules.items())


def action_units(config: AcceleratorConfig) -> dict[str, float]:
    """What each event of a counter moves or computes: words of 64 bits, operands, accesses to sums, or results."""
    beat, vector = config.bus_bytes / WORD_BYTES, config.act_word_bytes / WORD_BYTES
    return {
        "dram_read_beats": beat,
        "dram_write_beats": beat,
        "act_reads": vector,
        "act_writes": vector,
        "weight_reads": config.multipliers / WORD_BYTES,
        "weight_file_accesses": config.multipliers,
        "input_file_accesses": config.rows,
        "macs": 1,
        "psum_updates": 2 * config.cols,
        "requantised": 1,
    }


def unit_picojoules(table: EnergyTable) -> dict[str, float]:
    """Energy of each of the units of ``action_units``."""
    return {
        "dram_read_beats": table.dram_word,
        "dram_write_beats": table.dram_word,
        "act_reads": table.buffer_word,
        "act_writes": table.buffer_word,
        "weight_reads": table.buffer_word,
        "weight_file_accesses": table.weight_operand,
        "input_file_accesses": table.input_operand,
        "macs": table.mac,
        "psum_updates": table.partial_sum,
        "requantised": table.requantise,
    }
