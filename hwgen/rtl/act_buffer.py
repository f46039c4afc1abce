"""Activation buffer: row banks, each of an even and an odd memory in two halves.

A vector of any alignment lies in an even and an odd word; a tile's successive rows lie in successive banks. So vectors
at the same place in up to four rows take one cycle, whatever their address.
"""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS
from hwgen.rtl.ram import Ram
from hwgen.rtl.step import FetchLayout

PlaceLayout = data.StructLayout({"bank": 2, "address": ACT_ADDRESS_BITS})
"""A byte: the bank of its row, and its address there."""


def load_layout(bus_bytes: int) -> data.StructLayout:
    """A beat for the buffer: the place of its first byte, its data and which bytes to write."""
    return data.StructLayout({"place": PlaceLayout, "data": 8 * bus_bytes, "strobe": bus_bytes})


def row_places(bank: int, address: int, pitch: int, rows: int, banked: bool = True) -> list[tuple[int, int]]:
    """Golden: bank and byte address of each of a tile's rows, in successive banks or (not ``banked``) all in one."""
    if not banked:
        return [(bank, address + row * pitch) for row in range(rows)]
    return [(row % ROW_BANKS, address + row // ROW_BANKS * pitch) for row in range(bank, bank + rows)]


class ActBuffer(wiring.Component):
    """One read and one write per memory and cycle.

    The array's fetches and write-backs always proceed; loads and stores wait where they meet them in a memory. Tiles
    are placed so that they rarely do: operands in one half, results in the other.
    """

    fetch_latency = 3
    store_latency = 2
    write_latency = 2

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        bus_bytes = config.bus_bytes
        super().__init__(
            {
                "fetch": In(FetchLayout),  # vectors that the array reads; no rows, no fetch
                "fetched": Out(data.ArrayLayout(8 * config.rows, ROW_BANKS)),  # in row order, fetch_latency later
                "write_strobe": In(config.requant_lanes),  # bytes written after requantisation
                "write_place": In(PlaceLayout),  # place of the first of them
                "write_data": In(8 * config.requant_lanes),
                "load": In(stream.Signature(load_layout(bus_bytes))),  # beats from memory
                "store": In(stream.Signature(PlaceLayout)),  # places of beats to memory
                "stored": Out(8 * bus_bytes),  # the beat, store_latency cycles after its place
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word_bytes = self.config.act_word_bytes
        word_bits = 8 * word_bytes
        lane_bits = word_bytes.bit_length() - 1
        depth = self.config.act_bank_bytes // (2 * word_bytes)
        half_bit = lane_bits + 1 + (depth - 1).bit_length()
        """Position of the address bit that selects the half."""

        def split(address: Value, name: str) -> tuple[Value, list[Value]]:
            """Whether the first word is odd, and the word addresses of the even and the odd memory."""
            word = Signal(half_bit + 1 - lane_bits, name=f"{name}_word")
            following = Signal(half_bit + 1 - lane_bits, name=f"{name}_following")
            m.d.comb += [word.eq(address[lane_bits : half_bit + 1]), following.eq(word + 1)]
            return word[0], [Mux(word[0], following, word), Mux(word[0], word, following)]

        def rotate(payload: Value, strobe: Value, address: Value) -> tuple[Value, Value]:
            """Data and strobes of two words, with the first byte in its place in the first word."""
            lane = address[:lane_bits]
            return payload << Cat(Const(0, 3), lane), strobe << lane

        def order(odd: Value, pair: Value, width: int) -> list[Value]:
            """The parts of a pair of words (first, second) that go to the even and the odd memory."""
            return [Mux(odd, pair[width:], pair[:width]), Mux(odd, pair[:width], pair[width:])]

        # The write-back is rotated into place one cycle before it is written.
        write_data, write_strobe = Signal(2 * word_bits, reset_less=True), Signal(2 * word_bytes)
        write_place = Signal(PlaceLayout, reset_less=True)
        rotated, strobes = rotate(self.write_data, self.write_strobe, self.write_place.address)
        m.d.sync += [write_data.eq(rotated), write_strobe.eq(strobes), write_place.eq(self.write_place)]
        write_odd, write_words = split(write_place.address, "write")
        write_parts, write_masks = order(write_odd, write_data, word_bits), order(write_odd, write_strobe, word_bytes)

        load = self.load.payload
        load_data, load_strobe = Signal(2 * word_bits), Signal(2 * word_bytes)
        rotated, strobes = rotate(load.data, load.strobe, load.place.address)
        m.d.comb += [load_data.eq(rotated), load_strobe.eq(strobes)]
        load_odd, load_words = split(load.place.address, "load")
        load_parts, load_masks = order(load_odd, load_data, word_bits), order(load_odd, load_strobe, word_bytes)

        store = self.store.payload
        _, store_words = split(store.address, "store")

        load_blocked, store_blocked = Signal(), Signal()
        m.d.comb += [self.load.ready.eq(~load_blocked), self.store.ready.eq(~store_blocked)]
        fetched_words: list[list[Value]] = [[] for _ in range(ROW_BANKS)]
        stored_words: list[list[Value]] = [[] for _ in range(ROW_BANKS)]
        for bank in range(ROW_BANKS):
            # The bank's row among those fetched, and on which side of the wrap from the last bank to the first it is.
            row = (bank - self.fetch.bank)[: ROW_BANKS.bit_length() - 1]
            fetching = Signal(name=f"fetching_{bank}")
            address = Signal(ACT_ADDRESS_BITS, name=f"fetch_address_{bank}")
            m.d.comb += [
                fetching.eq(self.fetch.rows.bit_select(row, 1)),
                address.eq(Mux(_wraps(bank, self.fetch.bank), self.fetch.wrapped_address, self.fetch.address)),
            ]
            _, fetch_words = split(address, f"fetch_{bank}")
            for parity in range(2):
                halves: list[Value] = []
                for half in range(2):
                    ram = Ram(width=word_bits, depth=depth, granule=8)
                    m.submodules[f"bank{bank}_{('even', 'odd')[parity]}_{('lower', 'upper')[half]}"] = ram
                    fetches = Signal(name=f"fetches_{bank}_{parity}_{half}")
                    m.d.comb += fetches.eq(fetching & (fetch_words[parity][-1] == half))
                    store_here = (store.bank == bank) & (store_words[parity][-1] == half)
                    with m.If(store_here & fetches):
                        m.d.comb += store_blocked.eq(1)
                    writes = Signal(name=f"writes_{bank}_{parity}_{half}")
                    m.d.comb += writes.eq(
                        (write_place.bank == bank) & (write_words[parity][-1] == half) & (write_masks[parity] != 0)
                    )
                    load_here = (load.place.bank == bank) & (load_words[parity][-1] == half)
                    with m.If(load_here & writes):
                        m.d.comb += load_blocked.eq(1)
                    m.d.comb += [
                        ram.read_address.eq(Mux(fetches, fetch_words[parity], store_words[parity])[1:-1]),
                        ram.read_enable.eq(fetches | (self.store.valid & store_here)),
                        ram.write_address.eq(Mux(writes, write_words[parity], load_words[parity])[1:-1]),
                        ram.write_data.eq(Mux(writes, write_parts[parity], load_parts[parity])),
                        ram.write_enable.eq(
                            Mux(
                                writes,
                                write_masks[parity],
                                Mux(self.load.valid & self.load.ready & load_here, load_masks[parity], 0),
                            )
                        ),
                    ]
                    halves.append(ram.read_data)
                lower, upper = halves
                name = f"{bank}_{parity}"
                fetched_words[bank].append(_select_half(m, lower, upper, fetch_words[parity][-1], f"fetched_{name}"))
                stored_words[bank].append(_select_half(m, lower, upper, store_words[parity][-1], f"stored_{name}"))

        # Second cycle of a fetch: put each bank's words in order and rotate its vector to the front. All rows' vectors
        # lie at the same place within a word, since pitches are whole words.
        fetch_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        wrapped_odd = Signal(reset_less=True)
        fetch_bank, selected_bank = Signal(2, reset_less=True), Signal(2, reset_less=True)
        m.d.sync += [
            fetch_address.eq(self.fetch.address),
            wrapped_odd.eq(self.fetch.wrapped_address[lane_bits]),
            fetch_bank.eq(self.fetch.bank),
            selected_bank.eq(fetch_bank),
        ]
        vectors = []
        for bank, (even, odd) in enumerate(fetched_words):
            first_odd = Mux(_wraps(bank, fetch_bank), wrapped_odd, fetch_address[lane_bits])
            vector = Signal(8 * self.config.rows, name=f"vector_{bank}", reset_less=True)
            pair = Mux(first_odd, Cat(odd, even), Cat(even, odd))
            m.d.sync += vector.eq(pair >> Cat(Const(0, 3), fetch_address[:lane_bits]))
            vectors.append(vector)
        # Third cycle: from bank order to row order.
        for row in range(ROW_BANKS):
            m.d.sync += self.fetched[row].eq(Array(vectors)[(selected_bank + row)[: ROW_BANKS.bit_length() - 1]])

        # Second cycle of a store.
        stored_place = Signal(PlaceLayout, reset_less=True)
        m.d.sync += stored_place.eq(store)
        even, odd = (Array(words[parity] for words in stored_words)[stored_place.bank] for parity in range(2))
        pair = Mux(stored_place.address[lane_bits], Cat(odd, even), Cat(even, odd))
        m.d.sync += self.stored.eq(pair >> Cat(Const(0, 3), stored_place.address[:lane_bits]))
        return m


def _wraps(bank: int, first: Value) -> Value:
    """Whether rows that begin in bank ``first`` reach ``bank`` only after the last bank; the last never does."""
    return first > bank if bank < ROW_BANKS - 1 else Const(0)


def _select_half(m: Module, lower: Value, upper: Value, half: Value, name: str) -> Value:
    """Of the two halves' read data, that of the half addressed a cycle ago."""
    selected = Signal(name=f"half_{name}", reset_less=True)
    m.d.sync += selected.eq(half)
    return Mux(selected, upper, lower)
