"""Activation buffer: row banks, each of an even and an odd memory in two halves.

A vector of any alignment lies in an even and an odd word; a tile's successive rows lie in successive banks. So vectors
at the same place in up to four rows take one cycle, whatever their address.
"""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS
from hwgen.rtl.ram import Ram, RamShape
from hwgen.rtl.ring import bytes_from, moved, rotate, word_at
from hwgen.rtl.step import FetchLayout

PlaceLayout = data.StructLayout({"bank": 2, "address": ACT_ADDRESS_BITS})
"""A byte: the bank of its row, and its address there."""

WRITE_PATHS = tuple((odd, half) for odd in range(2) for half in range(2))
"""What is written comes to the even or odd words of a half of all banks by one way."""
MEMORIES = tuple((bank, *path) for bank in range(ROW_BANKS) for path in WRITE_PATHS)
"""The buffer's memories: of each bank, even and odd words, lower and upper half."""


def memory_shape(config: AcceleratorConfig) -> RamShape:
    """Of each of ``MEMORIES``."""
    return RamShape(8 * config.act_word_bytes, config.act_bank_bytes // (2 * config.act_word_bytes), granule=8)


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
    """One read per memory and cycle, and one write to the even and one to the odd words of each half.

    The array's fetches and write-backs always proceed; stores wait where they meet a fetch in a memory, and loads where
    they meet a write-back on its way. Tiles are placed so that they rarely do: operands in one half, results in the
    other. What was taken waits inside: while it does, nothing further is taken.
    """

    fetch_latency = 5
    store_latency = 6
    """Cycles from a place to its beat, where nothing is in the way."""
    read_latency = 4
    """Cycles from the one in which a beat is read from the memories."""
    meeting_latency = 1
    """Cycles from a write-back to the one in which a load may meet it."""
    write_latency = 2
    """Cycles from a write-back to the first fetch that sees it; the same from a load's beat that does not wait."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        bus_bytes = config.bus_bytes
        super().__init__(
            {
                "fetch": In(FetchLayout),  # vectors that the array reads; no rows, no fetch
                "fetched": Out(data.ArrayLayout(8 * config.rows, ROW_BANKS)),  # in row order, fetch_latency later
                "write_strobe": In(config.requant_lanes),  # bytes to write after requantisation, a cycle before them
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
        shape = memory_shape(self.config)
        address_bits = ring_bits + (shape.depth - 1).bit_length() + 1
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

        def paths(rows: list[Value], used: list[Value]) -> Value:
            """The ways to an access's words, a bit each; ``used``: whether it wants the even and the odd one."""
            return Cat(used[odd] & (rows[odd][-1] == half) for odd, half in WRITE_PATHS)

        def met(bank: Value, ways: Value) -> Value:
            """The memories at the end of these ways, a bit each."""
            return Cat(ways & (bank == b).replicate(len(WRITE_PATHS)) for b in range(ROW_BANKS))

        # First cycle: each access finds its memories and words, and data find their bytes.
        fetch_rows = []
        fetching = []
        sides = list(zip(words(self.fetch.address), words(self.fetch.wrapped_address), strict=True))
        for bank in range(ROW_BANKS):
            # The bank's row among those fetched, and on which side of the wrap from the last bank to the first it is.
            row = (bank - self.fetch.bank)[: ROW_BANKS.bit_length() - 1]
            wraps = _wraps(bank, self.fetch.bank)
            bank_rows = [Mux(wraps, wrapped, before) for before, wrapped in sides]
            fetch_rows.append([register(f"fetch_row_{bank}_{odd}", word) for odd, word in enumerate(bank_rows)])
            fetching.append(register(f"fetching_{bank}", self.fetch.rows.bit_select(row, 1)))
        fetches = Cat(fetching[bank] & (fetch_rows[bank][odd][-1] == half) for bank, odd, half in MEMORIES)

        def placed_mask(name: str, strobe: Value, place: data.View) -> Value:
            """Which bytes of an even word and the odd one after it ``strobe`` means."""
            mask = Cat(strobe, Const(0, 2 * word_bytes - len(strobe)))
            return rotate(m, name, mask, place.address[:ring_bits], 1)

        def halves_any(mask: Value) -> list[Value]:
            return [mask[:word_bytes].any(), mask[word_bytes:].any()]

        # Of a write-back the place comes first, so that loads know in time which memories it takes.
        writes, stores = Signal(len(MEMORIES)), Signal(len(MEMORIES))
        masks = placed_mask("write_mask", self.write_strobe, self.write_place)
        coming_used = register("coming_used", Cat(halves_any(masks)))
        coming_bank = register("coming_bank", self.write_place.bank)
        write_masks = register("write_masks", register("coming_write_masks", masks))
        coming_rows = [
            register(f"coming_write_row_{odd}", word) for odd, word in enumerate(words(self.write_place.address))
        ]
        written_next = paths(coming_rows, list(coming_used))
        m.d.sync += writes.eq(met(coming_bank, written_next))
        write_rows = [register(f"write_row_{odd}", word) for odd, word in enumerate(coming_rows)]
        write_byte = register("write_byte", self.write_place.address[: ring_bits - 1])
        write_word = register("write_word", word_at(m, "write_data", self.write_data, write_byte))

        load = self.load.payload
        free, held = Signal(init=1), Signal()
        """The load that was taken meets no write-back, or meets one: where none, whatever is offered takes its place.

        One tells the loads, the other these many registers.
        """
        load_word = register("load_word", word_at(m, "load_data", load.data, load.place.address), ~held)
        load_masks = register("load_masks", placed_mask("load_mask", load.strobe, load.place), ~held)
        offered_rows = words(load.place.address)
        load_rows = [register(f"load_row_{odd}", word, ~held) for odd, word in enumerate(offered_rows)]
        load_bank = register("load_bank", load.place.bank, ~held)
        loads = Signal()
        """A load was taken: it is known late, and the rest does not wait for it."""
        both = [Const(1)] * 2
        offered_meets = (paths(offered_rows, both) & written_next).any()
        load_ways = paths(load_rows, both)
        meets = Mux(free, self.load.valid & offered_meets, (load_ways & written_next).any())
        m.d.comb += self.load.ready.eq(free)
        m.d.sync += [free.eq(~meets), held.eq(meets)]
        with m.If(~held):
            m.d.sync += loads.eq(self.load.valid)

        # A beat may begin before its row, or end after it, in a word that is none of its business. Whether the one that
        # is to be read meets a fetch only moves the next on to its place, or to one beside: that it is free is known.
        store = self.store.payload
        rows_layout = data.ArrayLayout(len(words(store.place.address)[0]), 2)
        words_layout = data.StructLayout({"place": PlaceLayout, "rows": rows_layout, "wanted": 2})
        found, beside, read = (
            Signal(words_layout, name=f"store_{name}", reset_less=True) for name in ("found", "beside", "read")
        )
        is_found, waits, is_read, is_held = Signal(), Signal(), Signal(), Signal()
        """There is one found; one beside; one to be read; and it meets a fetch."""
        m.d.comb += self.store.ready.eq(~waits)
        with m.If(~waits):
            m.d.sync += [
                is_found.eq(self.store.valid),
                found.place.eq(store.place),
                found.rows.eq(Cat(words(store.place.address))),
                found.wanted.eq(Cat(halves_any(placed_mask("store_mask", store.strobe, store.place)))),
                beside.eq(found),
            ]
        following, next_read = waits | is_found, Signal(words_layout)
        wanted = next_read.wanted & following.replicate(2)
        m.d.comb += next_read.eq(Mux(waits, beside, found))
        m.d.sync += waits.eq(is_held & following)
        with m.If(~is_held):
            m.d.sync += [
                is_read.eq(following),
                read.eq(next_read),
                stores.eq(met(next_read.place.bank, paths([next_read.rows[0], next_read.rows[1]], list(wanted)))),
            ]

        # Second cycle: of what is written, one goes each way; registers, since the memories lie all over the chip.
        def in_word(repeated: Value) -> Value:
            return repeated.replicate(word_bits // len(repeated))

        placed_loads = met(load_bank, load_ways & (loads & ~held).replicate(len(WRITE_PATHS)))
        written = register("written", written_next)
        way_rows, way_words = {}, {}
        for path, wrote in zip(WRITE_PATHS, written, strict=True):
            odd, half = path
            way_rows[path] = register(f"way_row_{odd}_{half}", Mux(wrote, write_rows[odd], load_rows[odd])[:-1])
            way_words[path] = register(f"way_word_{odd}_{half}", Mux(wrote, in_word(write_word), in_word(load_word)))

        # And the memories: they read now, and write a cycle later.
        # Of each bank's even and odd words a fetch takes those of one half.
        of_half = dict(zip(MEMORIES, stores, strict=True))
        met_fetches = [
            fetching[bank] & Mux(word[-1], of_half[bank, odd, 1], of_half[bank, odd, 0])
            for bank, rows in enumerate(fetch_rows)
            for odd, word in enumerate(rows)
        ]
        m.d.comb += is_held.eq(Cat(met_fetches).any())
        read_data = {}
        for index, (bank, odd, half) in enumerate(MEMORIES):
            ram = Ram(shape, latency=2)
            m.submodules[f"bank{bank}_{('even', 'odd')[odd]}_{('lower', 'upper')[half]}"] = ram
            mask = slice(word_bytes * odd, word_bytes * (odd + 1))
            enable = Signal(word_bytes, name=f"write_{bank}_{odd}_{half}")
            m.d.sync += enable.eq(
                write_masks[mask] & writes[index].replicate(word_bytes)
                | load_masks[mask] & placed_loads[index].replicate(word_bytes)
            )
            m.d.comb += [
                ram.read_address.eq(Mux(fetches[index], fetch_rows[bank][odd], read.rows[odd])[:-1]),
                ram.read_enable.eq(fetches[index] | stores[index]),
                ram.write_address.eq(way_rows[odd, half]),
                ram.write_data.eq(way_words[odd, half]),
                ram.write_enable.eq(enable),
            ]
            read_data[bank, odd, half] = ram.read_data

        def later(name: str, value: Value, cycles: int) -> Value:
            for cycle in range(cycles):
                value = register(f"{name}_{cycle}", value)
            return value

        # Third cycle: memories take their time, and which of their words are wanted is worked out beside.
        first_bank = later("fetch_bank", self.fetch.bank, 2)
        first_odd = later("fetch_odd", self.fetch.address[ring_bits - 1], 2)
        wrapped_odd = later("fetch_wrapped_odd", self.fetch.wrapped_address[ring_bits - 1], 2)

        def word(bank: int, odd: int, upper: Value) -> Value:
            """The bank's even or odd word, of its lower or upper half."""
            return Mux(upper, read_data[bank, odd, 1], read_data[bank, odd, 0])

        # Fourth cycle: in a fetch the first word first, and the half of it that the first byte lies in; of a store, its
        # bank. All rows' vectors lie at the same place within a word, since pitches are whole words.
        coming_lane = later("fetch_lane", self.fetch.address[: ring_bits - 1], 3)
        half_bytes = word_bytes // 2
        """The distance of the vector's first level of ``bytes_from``, which the others follow a cycle later."""
        pairs = []
        for bank, rows in enumerate(fetch_rows):
            in_upper = Cat(later(f"fetch_half_{bank}_{odd}", row[-1], 1) for odd, row in enumerate(rows))
            begins_odd = Mux(_wraps(bank, first_bank), wrapped_odd, first_odd)
            swaps = register(f"swaps_{bank}", begins_odd)
            first, second = (
                register(f"in_upper_{bank}_{place}", Mux(begins_odd, in_upper[1 - place], in_upper[place]))
                for place in range(2)
            )
            pair = Signal(2 * word_bits, name=f"pair_{bank}")
            even_first = Cat(word(bank, 0, first), word(bank, 1, second))
            odd_first = Cat(word(bank, 1, first), word(bank, 0, second))
            m.d.comb += pair.eq(Mux(swaps, odd_first, even_first))
            wanted = half_bytes + self.config.rows - 1
            from_half = moved(m, f"fetched_{bank}", pair, half_bytes, coming_lane[-1], wanted)
            pairs.append(register(f"fetched_pair_{bank}", from_half))
        store_bank = later("store_bank", read.place.bank, 2)
        store_upper = [later(f"store_half_{odd}", read.rows[odd][-1], 2) for odd in range(2)]
        stored_pairs = [
            Cat(word(bank, odd, upper) for odd, upper in enumerate(store_upper)) for bank in range(ROW_BANKS)
        ]
        stored_pair = register("stored_pair", _of_bank(stored_pairs, store_bank))

        # Fifth cycle: the vector's first byte to the front, and from bank order to row order.
        lane = register("fetch_lane", coming_lane[:-1])
        first_bank = later("fetch_bank_later", first_bank, 2)
        vectors = [bytes_from(m, f"vector_{bank}", pair, lane, self.config.rows) for bank, pair in enumerate(pairs)]
        for row in range(ROW_BANKS):
            m.d.sync += self.fetched[row].eq(_of_bank(vectors[row:] + vectors[:row], first_bank))
        ring = later("store_ring", read.place.address[:ring_bits], 3)
        m.d.sync += self.stored.eq(bytes_from(m, "stored", stored_pair, ring, self.config.bus_bytes))
        passing = Signal(self.read_latency)
        m.d.sync += passing.eq(Cat(is_read & ~is_held, passing))
        m.d.comb += self.stored_valid.eq(passing[-1])
        return m


def _wraps(bank: int, first: Value) -> Value:
    """Whether rows that begin in bank ``first`` reach ``bank`` only after the last bank; the last never does."""
    return first > bank if bank < ROW_BANKS - 1 else Const(0)


def _of_bank(values: list[Value], bank: Value) -> Value:
    """A bank's of four values, by two selections, since a table of four would be decoded and gathered."""
    return Mux(bank[1], Mux(bank[0], values[3], values[2]), Mux(bank[0], values[1], values[0]))
