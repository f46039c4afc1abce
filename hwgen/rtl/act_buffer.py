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


MEMORIES = tuple((bank, odd, half) for bank in range(ROW_BANKS) for odd in range(2) for half in range(2))
"""The buffer's memories: of each bank, even and odd words, lower and upper half."""


def load_layout(bus_bytes: int) -> data.StructLayout:
    """A beat for the buffer: the place of its first byte, its data and which bytes to write."""
    return data.StructLayout({"place": PlaceLayout, "data": 8 * bus_bytes, "strobe": bus_bytes})


def store_layout(bus_bytes: int) -> data.StructLayout:
    """A beat to read: the place of its first byte, and which bytes are wanted."""
    return data.StructLayout({"place": PlaceLayout, "strobe": bus_bytes})


def row_places(bank: int, address: int, pitch: int, rows: int, banked: bool = True) -> list[tuple[int, int]]:
    """Golden: bank and byte address of each of a tile's rows, in successive banks or (not ``banked``) all in one."""
    if not banked:
        return [(bank, address + row * pitch) for row in range(rows)]
    return [(row % ROW_BANKS, address + row // ROW_BANKS * pitch) for row in range(bank, bank + rows)]


class ActBuffer(wiring.Component):
    """One read and one write per memory and cycle.

    The array's fetches and write-backs always proceed; loads and stores wait where they meet them in a memory. Tiles
    are placed so that they rarely do: operands in one half, results in the other. What was taken waits inside: while
    it does, nothing further is taken.
    """

    fetch_latency = 4
    store_latency = 4
    """Cycles from a place to its beat, where nothing is in the way."""
    write_latency = 1
    """Cycles from a write-back to the first fetch that sees it; the same from a load's beat that does not wait."""

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
                "load": In(stream.Signature(load_layout(bus_bytes))),  # beats from memory; ready: the last is in place
                "store": In(stream.Signature(store_layout(bus_bytes))),  # places of beats to memory
                "stored_valid": Out(1),  # the beat of the next of these places is there, where its bytes are wanted
                "stored": Out(8 * bus_bytes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word_bytes = self.config.act_word_bytes
        word_bits = 8 * word_bytes
        ring_bits = word_bytes.bit_length()
        """Address bits of a byte's place in an even word and the odd one after it."""
        depth = self.config.act_bank_bytes // (2 * word_bytes)
        address_bits = ring_bits + (depth - 1).bit_length() + 1
        """Address bits down from the one that selects the half."""

        def words(address: Value) -> list[Value]:
            """Addresses of a vector's words in the even and in the odd memory: the row, and the half above it."""
            row = address[ring_bits:address_bits]
            return [(row + address[ring_bits - 1])[: len(row)], row]

        def register(name: str, value: Value, enable: Value | int = 1) -> Signal:
            signal = Signal(len(value), name=name, reset_less=True)
            with m.If(enable):
                m.d.sync += signal.eq(value)
            return signal

        def rotate_left(name: str, value: Value, places: Value, granule: int) -> Value:
            """``value`` rotated by ``places`` granules of so many bits; its width is a power of two of them.

            A signal per bit of ``places``: an expression would hold ``value`` twice per bit, and double with each.
            """
            for bit in range(len(places)):
                rotated = Signal(len(value), name=f"{name}_rotated_{bit}")
                m.d.comb += rotated.eq(Mux(places[bit], value.rotate_left(granule << bit), value))
                value = rotated
            return value

        def rotate_right(name: str, value: Value, places: Value, granule: int) -> Value:
            """The same to the right."""
            return rotate_left(name, value, places, -granule)

        def meets(name: str, place: data.View, used: list[Value], enable: Value | int = 1) -> Signal:
            """Register of the memories that an access meets, a bit each; ``used``: in the even and the odd one."""
            halves = [word[-1] for word in words(place.address)]
            signal = Signal(len(MEMORIES), name=f"{name}_meets")
            here = [(place.bank == bank) & used[odd] & (halves[odd] == half) for bank, odd, half in MEMORIES]
            with m.If(enable):
                m.d.sync += signal.eq(Cat(here))
            return signal

        # First cycle: each access finds its memories and words, and data find their bytes.
        fetch_words = []
        fetching = []
        for bank in range(ROW_BANKS):
            # The bank's row among those fetched, and on which side of the wrap from the last bank to the first it is.
            row = (bank - self.fetch.bank)[: ROW_BANKS.bit_length() - 1]
            address = Mux(_wraps(bank, self.fetch.bank), self.fetch.wrapped_address, self.fetch.address)
            fetch_words.append([register(f"fetch_word_{bank}_{odd}", word) for odd, word in enumerate(words(address))])
            fetching.append(register(f"fetching_{bank}", self.fetch.rows.bit_select(row, 1)))
        fetches = Cat(fetching[bank] & (fetch_words[bank][odd][-1] == half) for bank, odd, half in MEMORIES)

        write_ring = self.write_place.address[:ring_bits]
        strobe = Cat(self.write_strobe, Const(0, 2 * word_bytes - len(self.write_strobe)))
        masks = rotate_left("write_masks", strobe, write_ring, 1)
        write_data = Cat(self.write_data, Const(0, 2 * word_bits - len(self.write_data)))
        write_parts = register("write_parts", rotate_left("write_data", write_data, write_ring, 8))
        write_masks = register("write_masks", masks)
        write_words = [register(f"write_word_{odd}", w) for odd, w in enumerate(words(self.write_place.address))]
        writes = meets("write", self.write_place, [masks[:word_bytes].any(), masks[word_bytes:].any()])

        load, load_ring = self.load.payload, self.load.payload.place.address[:ring_bits]
        masks = rotate_left("load_masks", Cat(load.strobe, Const(0, 2 * word_bytes - len(load.strobe))), load_ring, 1)
        load_data = Cat(load.data, Const(0, 2 * word_bits - len(load.data)))
        load_parts = register("load_parts", rotate_left("load_data", load_data, load_ring, 8), self.load.ready)
        load_masks = register("load_masks", masks, self.load.ready)
        load_words = [
            register(f"load_word_{odd}", word, self.load.ready) for odd, word in enumerate(words(load.place.address))
        ]
        loads = meets("load", load.place, [self.load.valid] * 2, self.load.ready)

        # A beat may begin before its row, or end after it, in a word that is none of its business.
        store, store_ring = self.store.payload, self.store.payload.place.address[:ring_bits]
        strobe = Cat(store.strobe, Const(0, 2 * word_bytes - len(store.strobe)))
        masks = rotate_left("store_masks", strobe, store_ring, 1)
        store_place = Signal(PlaceLayout, reset_less=True)
        store_words = [
            register(f"store_word_{odd}", word, self.store.ready) for odd, word in enumerate(words(store.place.address))
        ]
        wanted = [self.store.valid & mask.any() for mask in (masks[:word_bytes], masks[word_bytes:])]
        stores = meets("store", store.place, wanted, self.store.ready)
        with m.If(self.store.ready):
            m.d.sync += store_place.eq(store.place)

        # Second cycle: the memories.
        m.d.comb += [self.load.ready.eq((loads & writes) == 0), self.store.ready.eq((stores & fetches) == 0)]
        read_data = {}
        for index, (bank, odd, half) in enumerate(MEMORIES):
            ram = Ram(width=word_bits, depth=depth, granule=8)
            m.submodules[f"bank{bank}_{('even', 'odd')[odd]}_{('lower', 'upper')[half]}"] = ram
            part, mask = slice(word_bits * odd, word_bits * (odd + 1)), slice(word_bytes * odd, word_bytes * (odd + 1))
            m.d.comb += [
                ram.read_address.eq(Mux(fetches[index], fetch_words[bank][odd], store_words[odd])[:-1]),
                ram.read_enable.eq(fetches[index] | stores[index]),
                ram.write_address.eq(Mux(writes[index], write_words[odd], load_words[odd])[:-1]),
                ram.write_data.eq(Mux(writes[index], write_parts[part], load_parts[part])),
            ]
            with m.If(writes[index]):
                m.d.comb += ram.write_enable.eq(write_masks[mask])
            with m.Elif(loads[index] & self.load.ready):
                m.d.comb += ram.write_enable.eq(load_masks[mask])
            read_data[bank, odd, half] = ram.read_data

        # Third cycle: the halves addressed a cycle ago; of a store, the bank too.
        fetched = []
        for bank in range(ROW_BANKS):
            halves = [register(f"fetch_half_{bank}_{odd}", fetch_words[bank][odd][-1]) for odd in range(2)]
            pair = Cat(Mux(halves[odd], read_data[bank, odd, 1], read_data[bank, odd, 0]) for odd in range(2))
            fetched.append(register(f"fetched_{bank}", pair))
        halves = [register(f"store_half_{odd}", store_words[odd][-1]) for odd in range(2)]
        store_bank = register("store_bank", store_place.bank)
        pair = Cat(
            Array(Mux(halves[odd], read_data[bank, odd, 1], read_data[bank, odd, 0]) for bank in range(ROW_BANKS))[
                store_bank
            ]
            for odd in range(2)
        )
        stored = register("stored_pair", pair)

        # Fourth cycle: the vector's first byte to the front, and from bank order to row order.
        def later(name: str, value: Value, cycles: int) -> Value:
            for cycle in range(cycles):
                value = register(f"{name}_{cycle}", value)
            return value

        # All rows' vectors lie at the same place within a word, since pitches are whole words.
        lane = later("fetch_lane", self.fetch.address[: ring_bits - 1], 3)
        first_odd = later("fetch_odd", self.fetch.address[ring_bits - 1], 3)
        wrapped_odd = later("fetch_wrapped_odd", self.fetch.wrapped_address[ring_bits - 1], 3)
        first_bank = later("fetch_bank", self.fetch.bank, 3)
        vectors = [
            rotate_right(f"vector_{bank}", pair, Cat(lane, Mux(_wraps(bank, first_bank), wrapped_odd, first_odd)), 8)
            for bank, pair in enumerate(fetched)
        ]
        for row in range(ROW_BANKS):
            m.d.sync += self.fetched[row].eq(Array(vectors)[(first_bank + row)[: ROW_BANKS.bit_length() - 1]])
        ring = later("store_ring", store_place.address[:ring_bits], 2)
        m.d.sync += self.stored.eq(rotate_right("stored", stored, ring, 8))
        passing = Signal(self.store_latency - 1)
        m.d.sync += passing.eq(Cat((stores != 0) & self.store.ready, passing))
        m.d.comb += self.stored_valid.eq(passing[-1])
        return m


def _wraps(bank: int, first: Value) -> Value:
    """Whether rows that begin in bank ``first`` reach ``bank`` only after the last bank; the last never does."""
    return first > bank if bank < ROW_BANKS - 1 else Const(0)
