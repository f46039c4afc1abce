"""Program builder: collects instructions and data, and gives each instruction the waits that its accesses require."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hwgen.compiler.hazards import Access, Hazards, Waits, merge_waits
from hwgen.compiler.ring import Ring
from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.isa import ENGINE_OF, INSTRUCTION_BYTES, INSTRUCTIONS_PER_FETCH, PARAMETER_BYTES, Opcode, Region, encode
from hwgen.program import Engine

DATA_ALIGNMENT = 64


@dataclass(frozen=True)
class Extent:
    """Bytes of one row after another in a memory region: ``rows`` rows of ``row_bytes``, ``pitch`` apart."""

    region: Region
    offset: int
    pitch: int
    row_bytes: int
    rows: int

    @property
    def end(self) -> int:
        return self.offset + (self.rows - 1) * self.pitch + self.row_bytes


@dataclass(frozen=True)
class Span:
    """[start, end) in an on-chip buffer."""

    start: int
    end: int


@dataclass(frozen=True)
class Transfer:
    """An extent of memory and where its rows lie in the activation buffer."""

    extent: Extent
    address: int
    pitch: int
    bank: int
    banked: bool
    """Rows lie in successive banks; otherwise all in one."""

    @property
    def span(self) -> Span:
        """The addresses that the transfer touches, in whatever bank."""
        steps = (self.bank + self.extent.rows - 1) // ROW_BANKS if self.banked else self.extent.rows - 1
        return Span(self.address, self.address + steps * self.pitch + self.extent.row_bytes)

    @property
    def fields(self) -> dict[str, int]:
        """The transfer as instruction fields."""
        return {
            "region": int(self.extent.region),
            "dram_offset": self.extent.offset,
            "dram_pitch": self.extent.pitch,
            "act_address": self.address,
            "act_pitch": self.pitch,
            "bank": self.bank,
            "banked": int(self.banked),
            "row_bytes": self.extent.row_bytes,
            "rows": self.extent.rows,
        }


@dataclass
class ProgramBuilder:
    """Instructions in program order. Hazards are tracked per memory, so that a schedule cannot be wrong, only slow."""

    config: AcceleratorConfig
    instructions: list[tuple[Opcode, dict[str, int]]] = field(default_factory=list)
    data: bytearray = field(default_factory=bytearray)
    issued: dict[Engine, int] = field(default_factory=lambda: dict.fromkeys(Engine, 0))

    def __post_init__(self) -> None:
        self.act_rings: dict[Span, Ring] = {}
        self.weight_ring = Ring(0, self.config.weight_words)
        self.parameter_ring = Ring(0, self.config.parameter_words)
        self.act_hazards = Hazards()
        self.weight_hazards = Hazards()
        self.parameter_hazards = Hazards()
        self.dram_hazards = {region: Hazards() for region in Region}

    def act_ring(self, span: Span) -> Ring:
        """The ring over ``span`` of every bank; one that served an earlier layer goes on where it was."""
        return self.act_rings.setdefault(span, Ring(span.start, span.end - span.start))

    def add_data(self, content: bytes) -> int:
        """Append read-only data to the image; returns its offset from the start of the data."""
        self.data += bytes(-len(self.data) % DATA_ALIGNMENT)
        offset = len(self.data)
        self.data += content
        return offset

    def load_act(self, transfer: Transfer) -> None:
        """Bring rows of bytes from memory to the activation buffer."""
        source, span = transfer.extent, transfer.span
        waits = merge_waits(
            self.dram_hazards[source.region].before_read(source.offset, source.end),
            self.act_hazards.before_write(span.start, span.end),
        )
        retired = self._issue(Opcode.LOAD_ACT, waits, transfer.fields)
        self.dram_hazards[source.region].record_read(Access(source.offset, source.end, Engine.LOAD, retired))
        self.act_hazards.record_write(Access(span.start, span.end, Engine.LOAD, retired))

    def store(self, transfer: Transfer) -> None:
        """Write rows of bytes of the activation buffer to memory."""
        target, span = transfer.extent, transfer.span
        waits = merge_waits(
            self.dram_hazards[target.region].before_write(target.offset, target.end),
            self.act_hazards.before_read(span.start, span.end),
        )
        retired = self._issue(Opcode.STORE, waits, transfer.fields)
        self.dram_hazards[target.region].record_write(Access(target.offset, target.end, Engine.STORE, retired))
        self.act_hazards.record_read(Access(span.start, span.end, Engine.STORE, retired))

    def load_weights(self, offset: int, words: int) -> int:
        """Bring ``words`` weight words at ``offset`` of the data on chip; returns their word address."""
        word_bytes = self.config.multipliers
        return self._load_words(Opcode.LOAD_WEIGHT, self.weight_ring, self.weight_hazards, offset, words, word_bytes)

    def load_parameters(self, offset: int, words: int) -> int:
        """Bring ``words`` parameter words at ``offset`` of the data on chip; returns their word address."""
        word_bytes = PARAMETER_BYTES * self.config.requant_lanes
        return self._load_words(
            Opcode.LOAD_PARAM, self.parameter_ring, self.parameter_hazards, offset, words, word_bytes
        )

    def _load_words(
        self, opcode: Opcode, ring: Ring, hazards: Hazards, offset: int, words: int, word_bytes: int
    ) -> int:
        address = ring.allocate(words)
        beats = words * -(-word_bytes // self.config.bus_bytes)
        fields = {
            "region": int(Region.IMAGE),
            "dram_offset": offset,
            "word_address": address,
            "words": words,
            "beats": beats,
        }
        retired = self._issue(opcode, hazards.before_write(address, address + words), fields)
        hazards.record_write(Access(address, address + words, Engine.LOAD, retired))
        return address

    def compute(
        self,
        opcode: Opcode,
        fields: dict[str, int],
        *,
        operands: list[Span],
        weights: Span | None,
        parameters: Span,
        results: Span,
    ) -> None:
        """A MAC or ADD instruction that reads and writes the given spans."""
        reads = [(self.act_hazards, span) for span in operands] + [(self.parameter_hazards, parameters)]
        if weights is not None:
            reads.append((self.weight_hazards, weights))
        waits = merge_waits(
            *(hazards.before_read(span.start, span.end) for hazards, span in reads),
            self.act_hazards.before_write(results.start, results.end),
        )
        # Results are written in program order, so only reading an earlier result needs a wait for this engine.
        earlier = merge_waits(*(hazards.before_read(span.start, span.end) for hazards, span in reads))
        waits[Engine.COMPUTE] = earlier.get(Engine.COMPUTE, 0)
        retired = self._issue(opcode, waits, fields)
        for hazards, span in reads:
            hazards.record_read(Access(span.start, span.end, Engine.COMPUTE, retired))
        self.act_hazards.record_write(Access(results.start, results.end, Engine.COMPUTE, retired))

    def _issue(self, opcode: Opcode, waits: Waits, fields: dict[str, int]) -> int:
        engine = ENGINE_OF[opcode]
        header = {
            f"wait_{other.name.lower()}": waits.get(other, 0)
            for other in Engine
            if other is not engine or engine is Engine.COMPUTE
        }
        encode(opcode, **header, **fields)  # a value that does not fit its field is met where its layer is known
        self.instructions.append((opcode, {**header, **fields}))
        self.issued[engine] += 1
        return self.issued[engine]

    def image(self) -> bytes:
        """Instructions and data, laid out for memory."""
        ends = {f"wait_{engine.name.lower()}": self.issued[engine] for engine in Engine}
        program = [*self.instructions, (Opcode.END, ends)]
        program += [(Opcode.END, {})] * (-len(program) % INSTRUCTIONS_PER_FETCH)
        data_base = len(program) * INSTRUCTION_BYTES
        encoded = bytearray()
        for opcode, fields in program:
            if fields.get("region") == Region.IMAGE and "dram_offset" in fields:
                fields = {**fields, "dram_offset": fields["dram_offset"] + data_base}
            encoded += encode(opcode, **fields)
        # The sequencer fetches up to two groups beyond the one that holds END.
        fetched = len(encoded) + 2 * INSTRUCTIONS_PER_FETCH * INSTRUCTION_BYTES
        return bytes(encoded + self.data).ljust(fetched, b"\0")


def pad_words(words: np.ndarray, bus_bytes: int) -> bytes:
    """uint8 [words, bytes] with each word padded to whole bus beats, as LOAD_WEIGHT and LOAD_PARAM expect them."""
    padding = -words.shape[1] % bus_bytes
    return np.pad(words, ((0, 0), (0, padding))).tobytes()
