"""Register blocks: every register of a module is assigned under its conditions, not from a signal of its own.

Yosys writes a register that Amaranth assigns under conditions as two processes, which here become one::

    always @* begin                     always @(posedge clk) begin
      \\$44  = rows_left;                  if (takes_row) begin
      if (takes_row) begin                  rows_left <= \\$28 [17:0];
        \\$44  = \\$28 [17:0];               end
      end                               end
    end
    always @(posedge clk)
      rows_left <= \\$44 ;

A reader finds in one place what changes a register, and a simulator does nothing for registers that keep their values.
"""

from __future__ import annotations

import re
from collections import Counter

MODULE = re.compile(r"^module .*?^endmodule$", re.DOTALL | re.MULTILINE)
NUMBERED = r"\\\$\d+ "
"""A signal that Amaranth has given a number for a name; the space is the name's end."""
REGISTER = re.compile(rf"  always @\((?P<edge>posedge \S+)\)\n    (?P<name>\S+ +)<= (?P<next>{NUMBERED});\n")
BLOCK = re.compile(
    r"  always @\* begin\n"
    r"(?:    if \(\\\$auto\S+ \) begin end\n)?"  # which only makes simulators run blocks that read constants alone
    rf"(?P<body>    (?:{{ )?(?P<next>{NUMBERED}).*?)^  end\n",
    re.DOTALL | re.MULTILINE,
)
DECLARATION = re.compile(rf"  reg (?:\[\d+:\d+\] )?(?P<next>{NUMBERED});\n")


def join_register_blocks(verilog: str) -> str:
    """``verilog``, as Yosys writes it, with the blocks of registers' next values joined with the registers.

    Blocks of other signals, and those of next values that are read elsewhere as well, stay as they are.
    """
    return MODULE.sub(lambda module: _join_in_module(module[0]), verilog)


def _join_in_module(module: str) -> str:
    registers = {register["next"]: register for register in REGISTER.finditer(module)}
    mentions = Counter(re.findall(NUMBERED, module))
    joined = set()

    def join(block: re.Match[str]) -> str:
        following, lines = block["next"], block["body"].splitlines(keepends=True)
        register = registers.get(following)
        assigned = sum(line.partition(" = ")[0].count(following) for line in lines)
        # Beside the block: the declaration and the register. A block that reads what it assigns is not joined.
        if register is None or not assigned == block[0].count(following) == mentions[following] - 2:
            return block[0]
        joined.add(following)
        name = register["name"][:-1]
        body = "".join(_assigning(line, following, name) for line in lines)
        return f"  always @({register['edge']}) begin\n{body}  end\n"

    module = BLOCK.sub(join, module)
    for declared in (REGISTER, DECLARATION):
        module = declared.sub(lambda found: "" if found["next"] in joined else found[0], module)
    return module


def _assigning(line: str, following: str, register: str) -> str:
    """A line of the block of ``following``, assigning ``register`` instead, unless just itself, if it assigns."""
    target, equals, value = line.partition(" = ")
    if not equals or following not in target:
        return line
    target = target.replace(following, register).rstrip()
    return "" if value.strip(" ;\n") == target.strip() else f"{target} <= {value}"
