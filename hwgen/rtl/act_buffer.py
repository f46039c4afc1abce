"""Activation buffer: two halves, each of an even and an odd bank, so that vectors of any alignment take one cycle."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.isa import ACT_ADDRESS_BITS
from hwgen.rtl.ram import Ram


def load_layout(bus_bytes: int) -> data.StructLayout:
    """A beat for the buffer: its bus-aligned byte address, its data and which bytes to write."""
    return data.StructLayout({"address": ACT_ADDRESS_BITS, "data": 8 * bus_bytes, "strobe": bus_bytes})


class ActBuffer(wiring.Component):
    """Byte-addressed memory with one read and one write per bank and cycle.

    The array's fetches and write-backs always proceed; loads and stores wait where they meet them in a bank. Tensors
    are placed so that they rarely do: operands in one half, results in the other.
    """

    fetch_latency = 2
    store_latency = 2
    write_latency = 2

    def __init__(self, config: AcceleratorConfig) -> None:
        self.config = config
        bus_bytes = config.bus_bytes
        super().__init__(
            {
                "fetch_enable": In(1),  # the array reads
                "fetch_address": In(ACT_ADDRESS_BITS),  # first byte of the vector
                "fetched": Out(8 * config.rows),  # the vector, fetch_latency cycles later
                "write_strobe": In(config.requant_lanes),  # bytes written after requantisation
                "write_address": In(ACT_ADDRESS_BITS),  # address of the first of them
                "write_data": In(8 * config.requant_lanes),
                "load": In(stream.Signature(load_layout(bus_bytes))),  # beats from memory
                "store": In(stream.Signature(ACT_ADDRESS_BITS)),  # bus-aligned addresses of beats to memory
                "stored": Out(8 * bus_bytes),  # the beat, store_latency cycles after its address
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word_bytes = self.config.act_word_bytes
        bus_bytes = self.config.bus_bytes
        word_bits = 8 * word_bytes
        lane_bits = word_bytes.bit_length() - 1
        beat_bits = bus_bytes.bit_length() - 1
        depth = self.config.act_half_bytes // (2 * word_bytes)
        index_bits = lane_bits + 1 + (depth - 1).bit_length()
        """Position of the bit that selects the half."""

        def split(address: Signal, name: str) -> tuple[Signal, list[Signal]]:
            """Whether the first word is odd, and the word addresses of the even and the odd bank."""
            word = Signal(index_bits + 1 - lane_bits, name=f"{name}_word")
            following = Signal(index_bits + 1 - lane_bits, name=f"{name}_following")
            m.d.comb += [word.eq(address[lane_bits : index_bits + 1]), following.eq(word + 1)]
            return word[0], [Mux(word[0], following, word), Mux(word[0], word, following)]

        # The write-back is rotated into place one cycle before it is written.
        strobes = Signal(2 * word_bytes)
        rotated = Signal(2 * word_bits, reset_less=True)
        write_address = Signal(ACT_ADDRESS_BITS, reset_less=True)
        write_lane = self.write_address[:lane_bits]
        m.d.sync += [
            strobes.eq(self.write_strobe << write_lane),
            rotated.eq(self.write_data << Cat(Const(0, 3), write_lane)),
            write_address.eq(self.write_address),
        ]
        write_odd, write_words = split(write_address, "write")
        write_strobes = [
            Mux(write_odd, strobes[word_bytes:], strobes[:word_bytes]),
            Mux(write_odd, strobes[:word_bytes], strobes[word_bytes:]),
        ]
        write_data = [
            Mux(write_odd, rotated[word_bits:], rotated[:word_bits]),
            Mux(write_odd, rotated[:word_bits], rotated[word_bits:]),
        ]

        fetch_odd, fetch_words = split(self.fetch_address, "fetch")
        load_word = self.load.payload.address[lane_bits : index_bits + 1]
        store_word = self.store.payload[lane_bits : index_bits + 1]
        load_blocked, store_blocked = Signal(), Signal()
        load_strobe = Signal(word_bytes)
        m.d.comb += load_strobe.eq(
            self.load.payload.strobe << Cat(Const(0, beat_bits), self.load.payload.address[beat_bits:lane_bits])
        )
        m.d.comb += [self.load.ready.eq(~load_blocked), self.store.ready.eq(~store_blocked)]

        read_data = [[Signal(word_bits, name=f"read_{half}_{bank}") for bank in range(2)] for half in range(2)]
        for half in range(2):
            for bank in range(2):
                name = f"{'lower' if half == 0 else 'upper'}_{'even' if bank == 0 else 'odd'}"
                m.submodules[name] = ram = Ram(width=word_bits, depth=depth, granule=8)

                fetches = self.fetch_enable & (fetch_words[bank][-1] == half)
                store_here = (store_word[0] == bank) & (store_word[-1] == half)
                with m.If(store_here & fetches):
                    m.d.comb += store_blocked.eq(1)
                m.d.comb += [
                    ram.read_address.eq(Mux(fetches, fetch_words[bank][1:-1], store_word[1:-1])),
                    ram.read_enable.eq(fetches | (self.store.valid & store_here)),
                    read_data[half][bank].eq(ram.read_data),
                ]

                writes = Signal(name=f"{name}_writes")
                m.d.comb += writes.eq((write_strobes[bank] != 0) & (write_words[bank][-1] == half))
                load_here = (load_word[0] == bank) & (load_word[-1] == half)
                with m.If(load_here & writes):
                    m.d.comb += load_blocked.eq(1)
                with m.If(writes):
                    m.d.comb += [
                        ram.write_address.eq(write_words[bank][1:-1]),
                        ram.write_data.eq(write_data[bank]),
                        ram.write_enable.eq(write_strobes[bank]),
                    ]
                with m.Else():
                    m.d.comb += [
                        ram.write_address.eq(load_word[1:-1]),
                        ram.write_data.eq(self.load.payload.data.replicate(word_bytes // bus_bytes)),
                        ram.write_enable.eq(Mux(self.load.valid & load_here, load_strobe, 0)),
                    ]

        # Second cycle of a fetch: put the two words in order and rotate the vector to the front.
        odd, halves = Signal(reset_less=True), Signal(2, reset_less=True)
        fetch_lane = Signal(lane_bits, reset_less=True)
        m.d.sync += [
            odd.eq(fetch_odd),
            halves.eq(Cat(fetch_words[0][-1], fetch_words[1][-1])),
            fetch_lane.eq(self.fetch_address[:lane_bits]),
        ]
        even_data = Mux(halves[0], read_data[1][0], read_data[0][0])
        odd_data = Mux(halves[1], read_data[1][1], read_data[0][1])
        vector = Mux(odd, Cat(odd_data, even_data), Cat(even_data, odd_data))
        m.d.sync += self.fetched.eq(vector >> Cat(Const(0, 3), fetch_lane))

        # Second cycle of a store: select the bank and the beat.
        stored_word = Signal.like(store_word, reset_less=True)
        beat = Signal(max(1, lane_bits - beat_bits), reset_less=True)
        m.d.sync += [stored_word.eq(store_word), beat.eq(self.store.payload[beat_bits:lane_bits])]
        chosen = Mux(
            stored_word[-1],
            Mux(stored_word[0], read_data[1][1], read_data[1][0]),
            Mux(stored_word[0], read_data[0][1], read_data[0][0]),
        )
        m.d.sync += self.stored.eq(chosen.word_select(beat, 8 * bus_bytes))
        return m
