"""Port lists of the two AXI interfaces, and the payloads that pass between the memory-side components."""

from __future__ import annotations

from amaranth.lib import data
from amaranth.lib.wiring import In, Member, Out

ADDRESS_BITS = 32
BEAT_COUNT_BITS = 22
MAX_BURST_BEATS = 64
"""Bursts end on multiples of this many beats, so that none crosses a 4 KiB boundary at any bus width."""

RequestLayout = data.StructLayout({"address": ADDRESS_BITS, "end": BEAT_COUNT_BITS + 1, "single": 1, "last": 1})
"""A transfer of whole beats from a bus-aligned address; ``last``: the last of an instruction.

``end`` is the place of its last beat, counted from the last multiple of MAX_BURST_BEATS up to its first: who makes
bursts of it, or knows where its bytes end, has no other sum to wait for. ``single``: it is one burst; that is known
before all of ``end``.
"""

BurstLayout = data.StructLayout({"address": ADDRESS_BITS, "length": 8, "last": 1})
"""One AXI burst; ``length`` is beats - 1, as in AxLEN; ``last``: the last of an instruction."""


def request_end(address: int, beats: int, bus_bytes: int) -> int:
    """``end`` of the transfer of so many beats."""
    return address // bus_bytes % MAX_BURST_BEATS + beats - 1


def request_beats(address: int, end: int, bus_bytes: int) -> int:
    """Beats of the transfer with this ``end``."""
    return end + 1 - address // bus_bytes % MAX_BURST_BEATS


def write_data_layout(bus_bits: int) -> data.StructLayout:
    """A beat of write data with its byte strobes."""
    return data.StructLayout({"data": bus_bits, "strobe": bus_bits // 8})


def axi4_master_ports(prefix: str, bus_bits: int) -> dict[str, Member]:
    """The ports of an AXI4 master of 32 address bits and one ID, named as AMBA names them."""
    ports: dict[str, Member] = {}
    for channel in ("aw", "ar"):
        ports |= {
            f"{channel}id": Out(1),
            f"{channel}addr": Out(ADDRESS_BITS),
            f"{channel}len": Out(8),
            f"{channel}size": Out(3),
            f"{channel}burst": Out(2),
            f"{channel}cache": Out(4),
            f"{channel}prot": Out(3),
            f"{channel}valid": Out(1),
            f"{channel}ready": In(1),
        }
    ports |= {
        "wdata": Out(bus_bits),
        "wstrb": Out(bus_bits // 8),
        "wlast": Out(1),
        "wvalid": Out(1),
        "wready": In(1),
        "bid": In(1),
        "bresp": In(2),
        "bvalid": In(1),
        "bready": Out(1),
        "rid": In(1),
        "rdata": In(bus_bits),
        "rresp": In(2),
        "rlast": In(1),
        "rvalid": In(1),
        "rready": Out(1),
    }
    return {f"{prefix}_{name}": member for name, member in ports.items()}


def axi4_lite_slave_ports(prefix: str, address_bits: int) -> dict[str, Member]:
    """The ports of a 32-bit AXI4-Lite slave, named as AMBA names them."""
    ports: dict[str, Member] = {
        "awaddr": In(address_bits),
        "awprot": In(3),
        "awvalid": In(1),
        "awready": Out(1),
        "wdata": In(32),
        "wstrb": In(4),
        "wvalid": In(1),
        "wready": Out(1),
        "bresp": Out(2),
        "bvalid": Out(1),
        "bready": In(1),
        "araddr": In(address_bits),
        "arprot": In(3),
        "arvalid": In(1),
        "arready": Out(1),
        "rdata": Out(32),
        "rresp": Out(2),
        "rvalid": Out(1),
        "rready": In(1),
    }
    return {f"{prefix}_{name}": member for name, member in ports.items()}


def flipped_ports(ports: dict[str, Member]) -> dict[str, Member]:
    """The same ports at the other end of the wires."""
    return {name: member.flip() for name, member in ports.items()}
