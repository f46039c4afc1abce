"""What the cycle model decodes is what the compiler encoded."""

from __future__ import annotations

from hwgen.cycles.instructions import FIELDS, decode
from hwgen.isa import Opcode, encode, largest


def test_decoding_gives_back_what_was_encoded_up_to_the_first_end() -> None:
    opcodes = [opcode for opcode in Opcode if opcode is not Opcode.END]
    program = [(opcode, {name: largest(opcode, name) // (1 + opcode) for name in FIELDS[opcode]}) for opcode in opcodes]
    program.append((Opcode.MAC, {**program[3][1], "first_row": -3, "first_offset": -40}))
    ends = {"wait_load": 3, "wait_compute": 2, "wait_store": 1}
    image = b"".join(encode(opcode, **fields) for opcode, fields in [*program, (Opcode.END, ends), *program])
    *decoded, end = decode(image)
    assert [(instruction.opcode, instruction.fields) for instruction in decoded] == program
    assert (end.opcode, end.waits) == (Opcode.END, (3, 2, 1))
