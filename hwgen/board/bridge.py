"""Bridge: requests of the host, byte by byte, become accesses to words, and their results the answer."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ETHERNET
from amaranth.lib.wiring import In, Out

from hwgen.board.protocol import ANSWER_MARK, MAX_WORDS, REQUEST_MARK, WORD_BYTES, Operation

AccessLayout = data.StructLayout({"write": 1, "address": 32, "data": 32})
"""One word to be read or written."""


class Bridge(wiring.Component):
    """The board's end of ``hwgen.board.protocol``; what comes while it acts or answers is lost.

    ``silence`` cycles without a byte end a request that was damaged.
    """

    def __init__(self, *, silence: int) -> None:
        self.silence = silence
        super().__init__(
            {
                "received": In(stream.Signature(8, always_ready=True)),  # in every other cycle at most
                "sent": Out(stream.Signature(8)),
                "accesses": Out(stream.Signature(AccessLayout)),
                "done": In(1),  # pulse: the access has ended
                "result": In(32),  # what it read
                "failed": In(1),  # it was in vain
                "busy": Out(1),  # a request is coming, or is being acted upon or answered
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.checksum = checksum = CRC32_ETHERNET(data_width=8).create()
        m.submodules.words = words = memory.Memory(shape=32, depth=MAX_WORDS, init=[])
        write_port, read_port = words.write_port(), words.read_port()

        # What comes is taken together to words; a word is there in the cycle after its last byte.
        word, place = Signal(32), Signal(range(WORD_BYTES))
        arrived, receiving = Signal(), Signal()
        quiet = Signal(range(self.silence + 1))
        silent = (quiet == self.silence) & ~self.received.valid
        arrives = self.received.valid & receiving
        m.d.sync += arrived.eq(arrives & (place == WORD_BYTES - 1))
        with m.If(arrives):
            m.d.sync += [word.eq(Cat(word[8:], self.received.payload)), place.eq(place + 1)]
        with m.If(self.received.valid):
            m.d.sync += quiet.eq(0)
        with m.Elif(~silent):
            m.d.sync += quiet.eq(quiet + 1)

        mark, request_kind = word[:8], word[16:24]
        header = Signal(data.StructLayout({"count": 8, "operation": 8, "sequence": 8}))
        """``count``: of words, less one."""
        writes = header.operation == Operation.WRITE
        address = Signal(30)
        index = Signal(range(MAX_WORDS + 1))
        last = index == header.count
        failed = Signal()

        outgoing, out_place, sealing = Signal(32), Signal(range(WORD_BYTES)), Signal()
        sends = self.sent.valid & self.sent.ready
        m.d.comb += [
            self.sent.payload.eq(outgoing[:8]),
            checksum.valid.eq(arrives | sends),
            checksum.data.eq(Mux(receiving, self.received.payload, self.sent.payload)),
            read_port.addr.eq(index),
            write_port.addr.eq(index),
            write_port.data.eq(Mux(receiving, word, self.result)),
            self.accesses.payload.write.eq(writes),
            self.accesses.payload.address.eq(Cat(Const(0, 2), address)),
            self.accesses.payload.data.eq(read_port.data),
        ]

        with m.FSM() as fsm:
            with m.State("HEADER"):
                m.d.comb += [receiving.eq(1), checksum.start.eq(arrives & (place == 0))]
                with m.If(arrived):
                    m.d.sync += header.eq(word[8:])
                    known = (request_kind == Operation.READ) | (request_kind == Operation.WRITE)
                    with m.If((mark == REQUEST_MARK) & known):
                        m.next = "ADDRESS"
                    with m.Else():
                        m.next = "DAMAGED"
                with m.Elif(silent):
                    m.d.sync += place.eq(0)
            with m.State("ADDRESS"):
                m.d.comb += receiving.eq(1)
                with m.If(arrived):
                    m.d.sync += [address.eq(word[2:]), index.eq(0)]
                    with m.If(writes):
                        m.next = "PAYLOAD"
                    with m.Else():
                        m.next = "CHECK"
                with m.Elif(silent):
                    m.next = "DAMAGED"
            with m.State("PAYLOAD"):
                m.d.comb += [receiving.eq(1), write_port.en.eq(arrived)]
                with m.If(arrived):
                    m.d.sync += index.eq(index + 1)
                    with m.If(last):
                        m.next = "CHECK"
                with m.Elif(silent):
                    m.next = "DAMAGED"
            with m.State("CHECK"):
                m.d.comb += receiving.eq(1)
                with m.If(arrived):
                    m.d.sync += [index.eq(0), failed.eq(0)]
                    with m.If(checksum.match_detected):
                        m.next = "FETCH"
                    with m.Else():
                        m.next = "DAMAGED"
                with m.Elif(silent):
                    m.next = "DAMAGED"
            with m.State("DAMAGED"):
                m.d.sync += place.eq(0)
                with m.If(silent):
                    m.next = "HEADER"

            with m.State("FETCH"):  # the word to be written, from the memory of them
                m.next = "ACCESS"
            with m.State("ACCESS"):
                m.d.comb += self.accesses.valid.eq(1)
                with m.If(self.accesses.ready):
                    m.next = "RESULT"
            with m.State("RESULT"):
                m.d.comb += write_port.en.eq(self.done & ~writes)
                with m.If(self.done):
                    m.d.sync += [index.eq(index + 1), address.eq(address + 1), failed.eq(failed | self.failed)]
                    with m.If(last):
                        m.next = "ANSWER"
                    with m.Else():
                        m.next = "FETCH"

            with m.State("ANSWER"):
                m.d.comb += checksum.start.eq(1)
                m.d.sync += [
                    outgoing.eq(Cat(Const(ANSWER_MARK, 8), header.count, failed, Const(0, 7), header.sequence)),
                    index.eq(0),
                    sealing.eq(0),
                ]
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += self.sent.valid.eq(1)
                with m.If(self.sent.ready):
                    m.d.sync += [outgoing.eq(outgoing[8:]), out_place.eq(out_place + 1)]
                    with m.If(out_place == WORD_BYTES - 1):
                        with m.If(sealing):
                            m.next = "HEADER"
                        with m.Elif(writes | (index > header.count)):
                            m.next = "SEAL"
                        with m.Else():
                            m.next = "RECALL"
            with m.State("RECALL"):  # a word that was read: it reaches the memory's output before the next
                m.d.sync += index.eq(index + 1)
                m.next = "RECALLED"
            with m.State("RECALLED"):
                m.d.sync += outgoing.eq(read_port.data)
                m.next = "SEND"
            with m.State("SEAL"):
                m.d.sync += [outgoing.eq(checksum.crc), sealing.eq(1)]
                m.next = "SEND"

        m.d.comb += self.busy.eq(~fsm.ongoing("HEADER") | (place != 0) | arrived)
        return m
