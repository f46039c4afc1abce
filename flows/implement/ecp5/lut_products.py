"""Products of the array that become LUTs, where the device has too few multipliers or the user wants some left over.

Yosys makes a multiplier of every product. Those that are to be LUTs are Booth multipliers before it does: whole columns
in the array's middle. So the multipliers that it leaves lie side by side, and near to all of its columns, for what is
not of the array.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, product

from hwgen.config import AcceleratorConfig
from hwgen.errors import InputError

REQUANTISE_LANE, PRESCALE_LANE, SEQUENCER = 4, 2, 3
"""18x18 multipliers of a requantisation lane, of an addition's lane and of the MAC sequencer.

The sequencer would take a fourth for addresses of more than 17 bits, which no activation buffer on an ECP5 has.
"""
Product = tuple[int, int]
"""The column and the row of the array that it is of."""
REGISTER = "w:*dot_products.product_{}_{}"
"""Yosys's pattern for where a product goes, once the design is flat."""


def multipliers_beside(config: AcceleratorConfig) -> int:
    """18x18 multipliers that are not the array's; their products are never LUTs."""
    return REQUANTISE_LANE * config.requant_lanes + PRESCALE_LANE * config.eltwise_lanes + SEQUENCER


def lut_products(config: AcceleratorConfig, multipliers: int) -> list[Product]:
    """The array's products that must be LUTs where ``multipliers`` may be used.

    Raises InputError where there are too few even without the array.
    """
    beside = multipliers_beside(config)
    if multipliers < beside:
        raise InputError(
            f"multipliers: {multipliers} are too few for requantisation, additions and addresses; "
            f"accepted: {beside} or more, or fewer requant_lanes"
        )
    from_middle = sorted(range(config.cols), key=lambda col: abs(2 * col - (config.cols - 1)))
    return list(islice(product(from_middle, range(config.rows)), max(0, beside + config.multipliers - multipliers)))


def booth_products(products: Sequence[Product], top: str) -> list[str]:
    """Yosys's commands, after reading the design and before its synthesis, that make LUTs of ``products``."""
    if not products:
        return []
    flat = [f"hierarchy -check -top {top}", "proc", "flatten", "opt_expr", "opt_clean", "wreduce", "opt_clean"]
    registers = " ".join(REGISTER.format(*place) for place in products)
    # From the wire over the register to what it takes to the multiplication.
    select = [f"cd {top}", f"select -set registers {registers}", "select -set products @registers %ci3 t:$mul %i", "cd"]
    # Their last additions as gates, too: as carry chains they take more LUTs, and ABC's boxes have failed on them.
    gates = f"techmap {top}/t:$fa {top}/t:$alu {top}/t:$lcu"
    return [*flat, *select, "booth @products", gates]
