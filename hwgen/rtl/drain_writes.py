"""The golden of the drain: what it writes for an instruction, and in which order it takes the sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwgen.isa import ACT_ADDRESS_BITS, RoundingMode
from hwgen.rtl.act_buffer import row_places
from hwgen.rtl.requantise import requantise


def drain_order(
    groups: int, group_channels: int, last_channels: int, height: int, width: int, lanes: int
) -> list[tuple[int, int, int, int, int]]:
    """Golden: (group, y, x, first channel in the group, channels) of what a MAC instruction's drain takes per cycle."""
    return [
        (group, y, x, channel, min(lanes, channels - channel))
        for group in range(groups)
        for channels in [last_channels if group == groups - 1 else group_channels]
        for y in range(height)
        for x in range(width)
        for channel in range(0, channels, lanes)
    ]


Write = tuple[int, int, bytes]
"""Bank, address and the bytes written from there on."""
Parameters = Sequence[Sequence[Mapping[str, int]]]
"""The parameter buffer by word and lane, with the arguments of ``requantise``."""


def mac_writes(
    fields: Mapping[str, int], pixels: Sequence[list[int]], parameters: Parameters, lanes: int
) -> list[Write]:
    """Golden: what is written for a MAC instruction; ``pixels`` has the columns' sums by group, row and column.

    ``fields`` are those of ``DrainLayout`` and its mode.
    """
    places = row_places(fields["out_bank"], fields["out_address"], fields["out_pitch"], fields["out_height"])
    height, width, group_channels = fields["out_height"], fields["out_width"], fields["group_channels"]
    writes = []
    order = drain_order(fields["groups"], group_channels, fields["last_channels"], height, width, lanes)
    for group, y, x, channel, count in order:
        word = 0 if fields["parameters_constant"] else group * -(-group_channels // lanes) + channel // lanes
        bank, address = places[y]
        address += x * fields["out_step"] + group * group_channels + channel
        sums = pixels[(group * height + y) * width + x][channel : channel + count]
        results = _results(fields, sums, parameters[fields["parameter_address"] + word])
        writes.append((bank, address % 2**ACT_ADDRESS_BITS, results))
    return writes


def add_writes(fields: Mapping[str, int], sums: Sequence[list[int]], parameters: Parameters) -> list[Write]:
    """Golden: what is written for an ADD instruction, from its vectors of sums; the last of a row may end beyond it.

    ``fields`` are those of ``DrainLayout`` and its mode.
    """
    elements, lanes = fields["row_elements"], len(sums[0])
    vectors = [
        (bank, address + first, elements - first)
        for bank, address in row_places(
            fields["out_bank"], fields["out_address"], fields["out_pitch"], fields["out_height"]
        )
        for first in range(0, elements, lanes)
    ]
    entries = parameters[fields["parameter_address"]]
    return [
        (bank, address % 2**ACT_ADDRESS_BITS, _results(fields, vector[:left], entries))
        for (bank, address, left), vector in zip(vectors, sums, strict=True)
    ]


def _results(fields: Mapping[str, int], sums: list[int], parameters: Sequence[Mapping[str, int]]) -> bytes:
    """Golden: int8 results, a parameter each."""
    low, high = fields["clamp_low"], fields["clamp_high"]
    rounding, zero_point = RoundingMode(fields["rounding"]), fields["zero_point"]
    scaled = [requantise(acc, rounding=rounding, **entry) for acc, entry in zip(sums, parameters, strict=False)]
    return bytes(min(max(value + zero_point, low), high) & 0xFF for value in scaled)
