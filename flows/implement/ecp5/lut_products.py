"""Products of the array that become LUTs, where the device has too few multipliers or the user wants some left over.

Yosys makes a multiplier of every product. Those that are to be LUTs are Booth multipliers before it does.
"""

from __future__ import annotations

from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError

REQUANTISE_LANE, PRESCALE_LANE, SEQUENCER = 4, 2, 3
"""18x18 multipliers of a requantisation lane, of an addition's lane and of the MAC sequencer.

The sequencer would take a fourth for addresses of more than 17 bits, which no activation buffer on an ECP5 has.
"""
ARRAY = "*dot_products.$mul*"
"""Names of the array's products, once the design is flat."""


def multipliers_beside(config: AcceleratorConfig) -> int:
    """18x18 multipliers that are not the array's; their products are never LUTs."""
    return REQUANTISE_LANE * config.requant_lanes + PRESCALE_LANE * config.eltwise_lanes + SEQUENCER


def lut_products(config: AcceleratorConfig, multipliers: int) -> int:
    """How many of the array's products must be LUTs where ``multipliers`` may be used.

    Raises InputError where there are too few even without the array.
    """
    beside = multipliers_beside(config)
    if multipliers < beside:
        raise InputError(
            f"multipliers: {multipliers} are too few for requantisation, additions and addresses; "
            f"accepted: {beside} or more, or fewer requant_lanes"
        )
    return max(0, beside + config.multipliers - multipliers)


def booth_products(count: int, top: str) -> list[str]:
    """Yosys's commands, after reading the design and before its synthesis, that make ``count`` of the products LUTs."""
    if not count:
        return []
    flat = [f"hierarchy -check -top {top}", "proc", "flatten", "opt_expr", "opt_clean", "wreduce", "opt_clean"]
    # Their last additions as gates, too: as carry chains they take more LUTs, and ABC's boxes have failed on them.
    gates = f"techmap {top}/t:$fa {top}/t:$alu {top}/t:$lcu"
    return [*flat, f"booth {top}/t:$mul {top}/{ARRAY} %i %R{count}", gates]
