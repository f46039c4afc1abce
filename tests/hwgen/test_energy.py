"""Energy is action counts times energies per action; worked by hand here."""

from __future__ import annotations

import pytest

from hwgen.config import AcceleratorConfig
from hwgen.energy import ENERGY_TABLES, EYERISS_65NM, HOROWITZ_45NM, EnergyTable, energy_uj
from hwgen.registers import COUNTERS

CONFIG = AcceleratorConfig(rows=8, cols=4, bus_bits=64, requant_lanes=4)
SILENT = {counter.name: 0 for counter in COUNTERS}


@pytest.mark.parametrize(
    ("counter", "table", "picojoules"),
    [
        ("dram_read_beats", EYERISS_65NM, 512.0),
        ("dram_write_beats", EYERISS_65NM, 512.0),
        ("act_reads", EYERISS_65NM, 18.18),
        ("weight_reads", EYERISS_65NM, 4 * 18.18),
        ("weight_file_accesses", EYERISS_65NM, 8 * 4 * 1.98),
        ("input_file_accesses", EYERISS_65NM, 8 * 0.20),
        ("macs", EYERISS_65NM, 0.208),
        ("psum_updates", EYERISS_65NM, 4 * 2 * 0.25),
        ("macs", HOROWITZ_45NM, 0.3),
        ("requantised", HOROWITZ_45NM, 3.1),
    ],
)
def test_one_action_costs_what_the_table_says(counter: str, table: EnergyTable, picojoules: float) -> None:
    assert energy_uj({**SILENT, counter: 1_000_000}, CONFIG, table) == pytest.approx(picojoules)


@pytest.mark.parametrize("table", ENERGY_TABLES, ids=lambda table: table.name)
def test_waiting_costs_nothing(table: EnergyTable) -> None:
    assert energy_uj({**SILENT, "cycles": 10, "read_wait": 10}, CONFIG, table) == 0
