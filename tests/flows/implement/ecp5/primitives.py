"""Models of the ECP5's multiplier and block RAM, as Lattice describes them and as far as netlists use them.

Yosys has none of these two; it has models of everything else that it maps to.
"""

from __future__ import annotations


def _ports(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{bit}" for bit in range(count)]


def _vector(*ports: list[str]) -> str:
    """Concatenation of ports, the first the least significant."""
    return f"{{{', '.join(reversed([port for group in ports for port in group]))}}}"


_OPERANDS = [port for prefix in "ABC" for port in _ports(prefix, 18)]
_PRODUCT = _ports("P", 36)
_CONTROL = ["SIGNEDA", "SIGNEDB", "SOURCEA", "SOURCEB", "CLK0", "CE0", "CE1", "CE2", "RST0"]
_REGISTERS = {"OUTPUT": "CE0", "INPUTA": "CE1", "INPUTB": "CE2"}

MULT18X18D = f"""\
module MULT18X18D(input {", ".join(_OPERANDS + _CONTROL)}, output {", ".join(_PRODUCT)});
  parameter {", ".join(f'REG_{what}_CLK = "NONE"' for what in _REGISTERS)};
  parameter {", ".join(f'REG_{what}_CE = "{enable}"' for what, enable in _REGISTERS.items())};
  parameter {", ".join(f'REG_{what}_RST = "RST0"' for what in _REGISTERS)};
  wire [17:0] a_in = {_vector(_ports("A", 18))}, b_in = {_vector(_ports("B", 18))};
  reg [17:0] a_kept = 0, b_kept = 0;
  always @(posedge CLK0) if (CE1) a_kept <= a_in;
  always @(posedge CLK0) if (CE2) b_kept <= b_in;
  wire [17:0] a_bits = REG_INPUTA_CLK == "CLK0" ? a_kept : a_in;
  wire [17:0] b_bits = REG_INPUTB_CLK == "CLK0" ? b_kept : b_in;
  wire signed [18:0] a = {{SIGNEDA & a_bits[17], a_bits}};
  wire signed [18:0] b = {{SIGNEDB & b_bits[17], b_bits}};
  wire [35:0] product = a * b;
  generate
    if (REG_OUTPUT_CLK == "CLK0") begin
      reg [35:0] kept = 0;
      always @(posedge CLK0) if (CE0) kept <= product;
      assign {_vector(_PRODUCT)} = kept;
    end else assign {_vector(_PRODUCT)} = product;
  endgenerate
endmodule
"""

_DATA_IN, _DATA_OUT = [
    [f"{name}{bit}" for name in pair for bit in range(18)] for pair in (("DIA", "DIB"), ("DOA", "DOB"))
]
_SELECTS = [f"{name}{bit}" for name in ("CSA", "CSB") for bit in range(3)]
_IGNORED = [
    "ASYNC_RESET_RELEASE",
    "CSDECODE_A",
    "CSDECODE_B",
    "GSR",
    "RESETMODE",
    *(f"INITVAL_{n:02X}" for n in range(64)),
]
_RAM_CONTROL = [f"{name}{side}" for name in ("CE", "OCE", "CLK", "WE", "RST") for side in "AB"]

DP16KD = f"""\
module DP16KD(
  input {", ".join(_DATA_IN + _ports("ADA", 14) + _ports("ADB", 14) + _RAM_CONTROL + _SELECTS)},
  output {", ".join(_DATA_OUT)}
);
  parameter DATA_WIDTH_A = 36, DATA_WIDTH_B = 36;
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB", REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter {", ".join(f"{name} = 0" for name in _IGNORED)};
  reg [35:0] words [0:511];
  reg [35:0] read;
  wire [13:0] write_place = {_vector(_ports("ADA", 14))};
  wire [13:0] read_place = {_vector(_ports("ADB", 14))};
  wire [35:0] data = {_vector(_DATA_IN)};
  integer lane;
  initial begin
    for (lane = 0; lane < 512; lane = lane + 1) words[lane] = 0;
  end
  always @(posedge CLKA)
    for (lane = 0; lane < 4; lane = lane + 1)
      if (CEA && write_place[lane]) words[write_place[13:5]][9 * lane +: 9] <= data[9 * lane +: 9];
  always @(posedge CLKB) if (CEB) read <= words[read_place[13:5]];
  reg [35:0] kept;
  always @(posedge CLKB) if (OCEB) kept <= read;
  assign {_vector(_DATA_OUT)} = REGMODE_B == "OUTREG" ? kept : read;
endmodule
"""
"""512 words of 36 bits: port A writes those of four lanes that its lowest address bits name, port B reads."""
